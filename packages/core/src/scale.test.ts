import '@tensorflow/tfjs-backend-cpu';
import { resNet50 } from '@espalier/models/families';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, it } from 'vitest';
import { analyze } from './graph/analyze.ts';
import { plan } from './plan/plan.ts';
import type { Plan } from './plan/types.ts';
import { mask } from './surgery/mask.ts';
import { shrink } from './surgery/shrink.ts';
import { anyScores } from './test-models/pruners.ts';

/** Milliseconds, and what came of it. `ESPALIER_TIMES=1` prints them. */
async function timed<T>(name: string, run: () => T | Promise<T>): Promise<[number, T]> {
  const start = performance.now();
  const result = await run();
  const milliseconds = performance.now() - start;
  if (process.env.ESPALIER_TIMES) console.info(`${name}: ${milliseconds.toFixed(0)} ms`);
  return [milliseconds, result];
}

let model: LayersModel;
let half: Plan;
beforeAll(async () => {
  [, model] = await timed('build', () => resNet50({ inputShape: [64, 64, 3], weights: 'zeros' }));
});

it('analyzes ResNet50 fast', async () => {
  await timed('analyze, cold', () => analyze(model));
  const times: number[] = [];
  for (let i = 0; i < 5; i++) times.push((await timed('analyze', () => analyze(model)))[0]);
  // usually 15 to 30; the bound is for busy machines
  expect(Math.min(...times)).toBeLessThan(100);
  const { groups, cost } = analyze(model);
  expect(cost.params).toBe(25_636_712);
  // 33 of the convolutions inside blocks and the first, and one group for each stage's residual stream
  expect(groups.filter(({ prunable }) => prunable)).toHaveLength(1 + 32 + 4);
});

it('plans, masks and shrinks it in seconds', async () => {
  const pruning = { pruner: anyScores(1), budget: { fraction: 0.5 } };
  const [planned, made] = await timed('plan', () => plan(model, pruning));
  half = made;
  const [shrunk, small] = await timed('shrink', () => shrink(model, half));
  const [masked] = await timed('mask', () => mask(model, half));
  expect(small.countParams()).toBe(half.cost.after.params);
  for (const milliseconds of [planned, shrunk, masked]) expect(milliseconds).toBeLessThan(10_000);
  small.dispose();
});
