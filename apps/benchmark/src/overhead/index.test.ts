import { useEngine } from '@espalier/engine';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { overhead, rowsOf } from './index.ts';
import { race, type Times, watchers, workloads } from './measure.ts';

const names = ['plain', ...Object.keys(watchers)];
const timesOf = (of: (name: string) => number[]): Times =>
  Object.fromEntries(names.map((name) => [name, of(name)])) as unknown as Times;

describe('overhead', () => {
  const rows = rowsOf(
    'mlp',
    timesOf((name) =>
      name === 'badness' ? [108, 330, 212] : name === 'sensitivity' ? [130, 390, 260] : [100, 300, 200],
    ),
  );

  it('is the median over rounds of the ratio to the same round', () => {
    expect(rows.find(({ case: name }) => name === 'mlp/plain')).toMatchObject({
      ...{ metric: 'milliseconds', value: 0.5 },
    });
    expect(rows.find(({ case: name }) => name === 'mlp/badness')).toMatchObject({
      ...{ metric: 'ratio', value: 1.08, target: 1.1, meets: true },
    });
    expect(rows.find(({ case: name }) => name === 'mlp/sensitivity')).toMatchObject({
      ...{ value: 1.3, target: 1.25, meets: false },
    });
    expect(rows.find(({ case: name }) => name === 'mlp/again')).toMatchObject({ value: 1, spread: 0 });
  });

  it('is shown with its target', () => {
    const lenet = rowsOf(
      'lenet',
      timesOf(() => [100]),
    );
    const text = overhead.terminal({ name: 'overhead', environment: {}, rows: [...rows, ...lenet] });
    expect(text).toMatch(/badness +1\.080 .*1\.10/);
    expect(text).toMatch(/nobody: plain model\.fit again +1\.000/);
  });

  it('lets all train in turns, and frees them', async () => {
    await useEngine('wasm');
    const before = tf.memory().numTensors;
    const times = await race({ ...workloads.mlp, rows: 64, epochs: 1 }, 2);
    expect(Object.keys(times).sort()).toEqual([...names].sort());
    for (const of of Object.values(times)) expect(of).toHaveLength(2);
    expect(tf.memory().numTensors).toBe(before);
  });
});
