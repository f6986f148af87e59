import '@tensorflow/tfjs-backend-cpu';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyze } from '../graph/analyze.ts';
import { mask } from '../surgery/mask.ts';
import { shrink } from '../surgery/shrink.ts';
import { modelDescription } from '../test-models/arbitrary.ts';
import { build } from '../test-models/build.ts';
import { smallMlp } from '../test-models/fixed.ts';
import { anyPairs, anyScores, scores } from '../test-models/pruners.ts';
import { budgetAt, type GroupStanding } from './budget.ts';
import { type PlanOptions, plan } from './plan.ts';
import { type Ranking, rankings } from './ranking.ts';
import { groupsInScope } from './scope.ts';
import { standingOf } from './standing.ts';
import type { Plan } from './types.ts';

const gone = ({ groups }: Plan): Record<string, number> =>
  Object.fromEntries(groups.map(({ id, remove }) => [id, remove.length]));

describe('the budget at a share', () => {
  const standing = {
    groups: [
      { id: 'a', size: 10, gone: 2, pool: 'a' },
      { id: 'b', size: 7, gone: 0, pool: 'b' },
    ],
    unpruned: { params: 1000, macs: 900, bytes: 4000 },
    left: { params: 800, macs: 900, bytes: 3200 },
  };

  it('goes from what is gone to the total', () => {
    // a: 2 + (5 - 2) / 2, b: 3.5 / 2
    expect(budgetAt({ fraction: 0.5 }, 0.5, standing)).toEqual({ count: { a: 3, b: 1 } });
    expect(budgetAt({ fraction: 0.5 }, 1, standing)).toEqual({ count: { a: 5, b: 3 } });
    expect(budgetAt({ fraction: { a: 0.6 } }, 0.5, standing)).toEqual({ count: { a: 4, b: 0 } });
    expect(budgetAt({ count: { b: 6 } }, 1 / 3, standing)).toEqual({ count: { a: 2, b: 2 } });
  });

  it('goes in its own measure from what is left to what may be', () => {
    expect(budgetAt({ params: 0.5 }, 0.5, standing)).toEqual({ params: 650 });
    expect(budgetAt({ params: 0.5 }, 1, standing)).toEqual({ params: 500 });
    expect(budgetAt({ bytes: 3000 }, 0.25, standing)).toEqual({ bytes: 3150 });
    // enough is gone already
    expect(budgetAt({ params: 0.9 }, 0.5, standing)).toEqual({ params: 800 });
  });

  it('is the same everywhere where it names no number', () => {
    expect(budgetAt({ threshold: 3 }, 0.5, standing)).toEqual({ threshold: 3 });
    expect(budgetAt(undefined, 0.5, standing)).toBeUndefined();
  });

  it('refuses to count units of a group that is not there', () => {
    expect(() => budgetAt({ count: { c: 1 } }, 0.5, standing)).toThrow(
      "'c', which is not in the scope: a, b",
    );
  });
});

describe('a budget of a cost', () => {
  /** 4 inputs, 6 and 5 units, 2 outputs: 30 + 35 + 12 parameters, 24 + 30 + 10 multiply-adds. */
  const planMlp = (options: Partial<PlanOptions>) =>
    plan(smallMlp(), { pruner: scores(0, 1, 2, 3, 4, 5), ...options });

  it('takes as few units as it needs, the same share of each group', async () => {
    // in turn go 1/6 of first, 1/5 of second, 2/6, 2/5: then 5 * 4 + 5 * 3 + 4 * 2 are left of first, second and out
    const half = await planMlp({ budget: { params: 0.6 } });
    expect(gone(half)).toEqual({ first: 2, second: 2 });
    expect(half.cost.after.params).toBe(5 * 4 + 5 * 3 + 4 * 2);
    expect(half.notes).toEqual([]);
    // 5 * 4 + 5 * 4 + 5 * 2 with one unit more
    expect(gone(await planMlp({ budget: { params: 49 } }))).toEqual({ first: 2, second: 2 });
    expect(gone(await planMlp({ budget: { params: 50 } }))).toEqual({ first: 2, second: 1 });
    // 4 * 4 + 4 * 4 + 2 * 4 = 40 of 64
    expect(gone(await planMlp({ budget: { macs: 40 } }))).toEqual({ first: 2, second: 1 });
    expect(gone(await planMlp({ budget: { bytes: 4 * 50 } }))).toEqual({ first: 2, second: 1 });
  });

  it('says that it is met already', async () => {
    const made = await planMlp({ budget: { params: 77 } });
    expect(made.groups).toEqual([]);
    expect(made.notes).toEqual(['params: at most 77 should be left, and there are only 77: nothing goes']);
  });

  it('is a total: to a half twice leaves a half', async () => {
    const model = smallMlp();
    const options = { pruner: scores(0, 1, 2, 3, 4, 5), budget: { params: 0.6 } };
    const once = await plan(model, options);
    await mask(model, once);
    expect(gone(await plan(model, options))).toEqual(gone(once));
    const small = await shrink(model);
    const further = await plan(small, { ...options, budget: { params: 46 } });
    expect(further.groups).toEqual([]);
  });

  it('says how far it comes where one unit must stay', async () => {
    const made = await planMlp({ budget: { params: 0.05 } });
    // 3 may be left; 1 unit of each needs 5 + 2 + 4
    expect(gone(made)).toEqual({ first: 5, second: 4 });
    expect(made.notes).toEqual([
      "group 'first': 6 units should go, 5 do: one unit must stay",
      "group 'second': 5 units should go, 4 do: one unit must stay",
      'params: at most 3 should be left, 11 are',
    ]);
  });
});

describe('a record by group', () => {
  it('gives each layer a share of its own', async () => {
    const made = await plan(smallMlp(), { pruner: scores(), budget: { fraction: { second: 0.8 } } });
    expect(gone(made)).toEqual({ second: 4 });
    const together = { pruner: scores(), ranking: 'global' } as const;
    // 0.5 * 6 + 0.2 * 5
    const shared = await plan(smallMlp(), { ...together, budget: { fraction: { first: 0.5, second: 0.2 } } });
    expect(Object.values(gone(shared)).reduce((a, b) => a + b)).toBe(4);
  });
});

/** The counts after each turn where every pool loses the same share, found step by step. */
function* countsOf(groups: readonly GroupStanding[]): Generator<Record<string, number>> {
  const pools = [...new Set(groups.map(({ pool }) => pool))].map((pool) => ({
    pool,
    size: groups.reduce((sum, group) => sum + (group.pool === pool ? group.size : 0), 0),
    gone: 0,
  }));
  for (;;) {
    yield Object.fromEntries(pools.map(({ pool, gone }) => [pool, gone]));
    const open = pools.filter(({ gone, size }) => gone < size);
    if (open.length === 0) return;
    const shareOf = (pool: (typeof pools)[number]) => (pool.gone + 1) / pool.size;
    open.reduce((least, pool) => (shareOf(pool) < shareOf(least) ? pool : least)).gone++;
  }
}

/** The first plan of them that leaves no more, by trying them all. */
async function firstThatFits(
  model: LayersModel,
  options: PlanOptions & { readonly ranking: Ranking },
  fits: (plan: Plan) => boolean,
): Promise<Plan | undefined> {
  for (const count of countsOf(standingOf(model, options).groups)) {
    const made = await plan(model, { ...options, budget: { count } });
    if (fits(made)) return made;
  }
  return undefined;
}

it('a budget of a cost is met by the least removal, to the unit, whatever the model, ranking and limits', {
  tags: ['slow'],
  timeout: 300_000,
}, async () => {
  let met = 0;
  await fc.assert(
    fc.asyncProperty(
      modelDescription,
      fc.constantFrom('params', 'macs', 'bytes'),
      fc.integer({ min: 20, max: 95 }),
      fc.constantFrom(...rankings),
      fc.constantFrom({}, { roundTo: 2 }, { minUnits: 2 }),
      fc.boolean(),
      fc.nat(1000),
      async (described, measure, percent, ranking, limits, isPairs, seed) => {
        const model = build(described);
        try {
          const graph = analyze(model);
          if (!graph.groups.some(({ prunable, exact, kind }) => prunable && exact && kind !== 'feature'))
            return;
          const most = Math.floor((percent / 100) * graph.cost[measure] + 1e-9);
          if (most < 2 || groupsInScope(graph).every(({ size }) => size === 1)) return;
          const pruner = isPairs ? anyPairs(seed) : anyScores(seed);
          const options = { pruner, ranking, ...limits };
          const made = await plan(model, { ...options, budget: { [measure]: percent / 100 } as never });
          const wanted = await firstThatFits(model, options, ({ cost }) => cost.after[measure] <= most);
          if (wanted) {
            met++;
            expect(gone(made)).toEqual(gone(wanted));
            expect(made.cost).toEqual(wanted.cost);
          } else {
            expect(made.cost.after[measure]).toBeGreaterThan(most);
            expect(made.notes.join()).toContain(`${measure}: at most ${most} should be left`);
          }
        } finally {
          model.dispose();
        }
      },
    ),
    { numRuns: 150, seed: 11 },
  );
  expect(met).toBeGreaterThan(40);
});
