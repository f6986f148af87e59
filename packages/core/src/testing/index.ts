/**
 * The contract tests that every pruner passes, and helpers for hand-worked ones.
 *
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { batch, judge, testPruner } from '@espalier/core/testing';
 * import { describe, expect, it } from 'vitest';
 *
 * describe('badness', () => {
 *   testPruner(badness);
 *
 *   it('judges a unit by its squared errors', async () => {
 *     const judgement = await judge(badness(), [batch({ errors: [[1, 3], [2, 0]] })]);
 *     expect(judgement).toEqual([{ unit: 1, score: -9 }, { unit: 0, score: -5 }]);
 *   });
 * });
 * ```
 *
 * It runs under vitest, and on whatever TensorFlow.js engine the test file has loaded: it loads none itself.
 *
 * @module
 */
export type { Judgement } from '../evidence/judgement.ts';
export { judge } from './judge.ts';
export type { BatchNumbers, BatchParts, Matrix, UpdateNumbers } from './numbers.ts';
export { batch } from './numbers.ts';
export type { TestOptions } from './test-pruner.ts';
export { testPruner } from './test-pruner.ts';
export { testWeightPruner } from './test-weight-pruner.ts';
