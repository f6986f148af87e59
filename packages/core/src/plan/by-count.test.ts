import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { EliminationPruner } from '../pruner.ts';
import { mask } from '../surgery/mask.ts';
import { smallMlp } from '../test-models/fixed.ts';
import { byRank } from './by-rank.ts';
import { judge } from './judge.ts';
import { type PlanOptions, plan } from './plan.ts';

/** Takes units from behind if an even number will go, else from the front; writes down what it is told. */
function counting(): { pruner: EliminationPruner; told: (number | undefined)[] } {
  const told: (number | undefined)[] = [];
  const pruner: EliminationPruner = {
    name: 'counting',
    byCount: true,
    measure: ({ bias }) => tf.zeros([bias.size, 1]),
    eliminate: (_, units, leaving) => {
      told.push(leaving);
      const order = Array.from({ length: units }, (_, unit) => ({ unit, score: 0 }));
      return leaving !== undefined && leaving % 2 === 0 ? order.reverse() : order;
    },
  };
  return { pruner, told };
}

/** 6 and 5 units. */
const scope = ['first', 'second'];

async function planned(options: Omit<PlanOptions, 'pruner'>) {
  const { pruner, told } = counting();
  const { groups } = await plan(smallMlp(), { pruner, scope, ...options });
  return { told, remove: groups.map(({ remove }) => remove) };
}

describe('a pruner that goes by the number of units that leave', () => {
  it('is told it, group by group', async () => {
    expect(await planned({ budget: { count: { first: 2, second: 3 } } })).toEqual({
      told: [2, 3],
      remove: [
        [4, 5],
        [0, 1, 2],
      ],
    });
    expect((await planned({ budget: { fraction: 0.5 } })).told).toEqual([3, 2]);
  });

  it('is told how many limits let go', async () => {
    expect((await planned({ budget: { count: 3 }, roundTo: 4, minUnits: 4 })).told).toEqual([2, 1]);
    expect((await planned({ budget: { count: 9 } })).told).toEqual([5, 4]);
  });

  it('is told how many more than are gone, of those that are left', async () => {
    const [model, { pruner, told }] = [smallMlp(), counting()];
    await mask(model, await plan(model, { pruner, scope: ['first'], budget: { count: 3 } }));
    const { groups } = await plan(model, { pruner, scope: ['first'], budget: { count: 5 } });
    expect(told).toEqual([3, 2]);
    expect(groups).toMatchObject([{ remove: [0, 1, 2, 4, 5] }]);
  });

  it('is asked again until a cost holds', async () => {
    const { told, remove } = await planned({ scope: ['first'], budget: { params: 0.5 } });
    const gone = remove[0]!.length;
    expect(told).toContain(gone);
    expect(remove[0]).toEqual(Array.from({ length: gone }, (_, i) => (gone % 2 === 0 ? 6 - gone + i : i)));
  });

  it.each<[string, Omit<PlanOptions, 'pruner'>]>([
    ['a threshold decides', { scope: ['first'], budget: { threshold: 1 } }],
    ['groups are ranked together', { ranking: 'global', budget: { count: 4 } }],
  ])('is told nothing where %s', async (_, options) => {
    const { told } = await planned(options);
    expect(new Set(told)).toEqual(new Set([undefined]));
  });

  it('is told nothing where criteria are joined, or only compared', async () => {
    const { pruner, told } = counting();
    await plan(smallMlp(), { pruner: byRank({ pruners: [pruner] }), scope, budget: { count: 2 } });
    await judge(smallMlp(), { pruners: [pruner], scope });
    expect(told).toEqual([undefined, undefined, undefined, undefined]);
  });
});
