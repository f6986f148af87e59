import '@tensorflow/tfjs-backend-cpu';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { smallMlp, smallResNet } from '../test-models/fixed.ts';
import { anyScores } from '../test-models/pruners.ts';
import { plan } from './plan.ts';
import { savingsOf } from './savings.ts';

describe('savingsOf says what a share of the units of each group would save', () => {
  it('by hand', () => {
    // 4 inputs, 6 and 5 units, 2 outputs: a unit's own kernel and bias, and what reads it
    expect([...savingsOf(smallMlp(), 0.5)]).toEqual([
      ['first', { units: 3, params: 3 * (4 + 1 + 5), macs: 3 * (4 + 5), bytes: 3 * 10 * 4 }],
      ['second', { units: 2, params: 2 * (6 + 1 + 2), macs: 2 * (6 + 2), bytes: 2 * 9 * 4 }],
    ]);
  });

  it('as plans of so many units do', async () => {
    const model = smallResNet();
    const savings = savingsOf(model, 0.3);
    expect([...savings.keys()]).toEqual(['stem', 'flat', 'hidden']);
    for (const [id, { units, ...saved }] of savings) {
      const { cost, groups } = await plan(model, {
        pruner: anyScores(1),
        budget: { fraction: 0.3 },
        scope: [id],
      });
      expect(groups.map(({ remove }) => remove.length)).toEqual([units]);
      const { before, after } = cost;
      expect(saved).toEqual({
        params: before.params - after.params,
        macs: before.macs - after.macs,
        bytes: before.bytes - after.bytes,
      });
    }
  });

  it('one unit at least, and nothing where that is the only one', () => {
    const dense = (units: number, name: string) => layers.dense({ units, name });
    const model = sequential({
      layers: [layers.dense({ units: 3, inputShape: [2], name: 'few' }), dense(1, 'one'), dense(2, 'out')],
    });
    expect([...savingsOf(model, 0.1)]).toEqual([
      ['few', { units: 1, params: 2 + 1 + 1, macs: 2 + 1, bytes: 16 }],
    ]);
    for (const wrong of [0, 1, Number.NaN]) {
      expect(() => savingsOf(model, wrong)).toThrow(
        `[core] the fraction must be above 0 and below 1, got ${wrong}`,
      );
    }
  });
});
