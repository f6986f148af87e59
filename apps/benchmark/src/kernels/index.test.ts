import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { kernels, rowsOf } from './index.ts';
import { relativeError, type Trial } from './measure.ts';

const right = (output: number[], gradient: number[], differences = 1e-4): Trial['result'] => ({
  differences,
  output: Float32Array.from(output),
  gradients: [Float32Array.from(gradient)],
});
const trial = (name: string, result: Trial['result'], upstream = false): Trial => ({
  name,
  upstream,
  result,
});

describe('relativeError', () => {
  it('is the largest difference by the largest expected value', () => {
    expect(relativeError([1, 2.5], [1, 2])).toBe(0.25);
    expect(relativeError([0.001], [0])).toBeCloseTo(0.1, 10);
    expect(relativeError([1, Number.NaN, 9], [1, 2, 3])).toBeNaN();
  });
});

describe('rows', () => {
  const rows = rowsOf(
    new Map([
      [
        'cpu',
        [
          trial('dense', right([1], [2])),
          trial('conv2d, odd', right([1], [2], 0.3)),
          trial('x', 'No.', true),
        ],
      ],
      [
        'wasm',
        [trial('dense', right([1], [2.001])), trial('conv2d, odd', 'Missing.'), trial('x', 'No.', true)],
      ],
    ]),
  );

  it('count what is right, and hold wasm alone to it', () => {
    expect(rows).toContainEqual({ case: 'all/cpu', metric: 'right', value: 1, note: 'of 2 layers' });
    expect(rows).toContainEqual({
      ...{ case: 'all/wasm', metric: 'right', value: 1, note: 'of 2 layers' },
      ...{ target: 2, meets: false },
    });
  });

  it('hold wasm to differences and, where that is right, to the reference', () => {
    expect(rows).toContainEqual({
      case: 'dense/wasm',
      metric: 'error',
      value: 1e-4,
      target: 1e-2,
      meets: true,
    });
    expect(rows.find(({ metric }) => metric === 'distance')).toMatchObject({
      ...{ case: 'dense/wasm', value: expect.closeTo(0.0005, 5), target: 1e-5, meets: false },
    });
    expect(rows).toContainEqual({ case: 'conv2d-odd/cpu', metric: 'error', value: 0.3 });
  });

  it('say why something failed, and blame wasm only for what is no fault of TensorFlow.js', () => {
    expect(rows).toContainEqual({
      ...{ case: 'conv2d-odd/wasm', metric: 'failed', value: 1, note: 'Missing.' },
      ...{ target: 0, meets: false },
    });
    expect(rows).toContainEqual({ case: 'x/wasm', metric: 'failed', value: 1, note: 'No.' });
  });

  it('become a table that names what is wrong', () => {
    const text = stripVTControlCharacters(kernels.terminal({ name: 'kernels', environment: {}, rows }));
    expect(text).toMatch(/dense +1e-4 +1e-4 +5e-4/);
    expect(text).toMatch(/conv2d odd +0\.30 wrong +fails/);
    expect(text).toMatch(/x: cpu, wasm: No\./);
  });
});
