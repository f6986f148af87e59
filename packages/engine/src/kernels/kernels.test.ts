import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { useEngine } from '../index.ts';

type Pad = 'same' | 'valid' | number;
type Shape4D = [number, number, number, number];

/** Numbers around `shift`, all different by at least 1 / 16, the same for the same seed. */
function values(shape: number[], seed = 1, shift = 0): tf.Tensor {
  const size = tf.util.sizeFromShape(shape);
  // 7919 is a prime that divides no size used here: this visits every rank once.
  const rank = (i: number): number => (i * 7919 + seed * 104729) % size;
  const data = Float32Array.from({ length: size }, (_, i) => (rank(i) - size / 2 + 0.25) / 16 + shift);
  return tf.tensor(data, shape);
}

/** What `work` gives on one engine, as flat arrays. */
async function on(backend: 'wasm' | 'cpu', work: () => tf.Tensor | tf.Tensor[]): Promise<Float32Array[]> {
  await tf.setBackend(backend);
  return tf.tidy(() => [work()].flat().map((x) => Float32Array.from(x.dataSync())));
}

function expectClose(actual: Float32Array, expected: ArrayLike<number>, tolerance = 1e-5): void {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(1e-3, ...Array.from(expected, Math.abs));
  let worst = 0;
  for (let i = 0; i < actual.length; i++)
    worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!) / scale);
  expect(worst).toBeLessThan(tolerance);
}

async function expectLikeCpu(work: () => tf.Tensor | tf.Tensor[], tolerance = 1e-5): Promise<void> {
  const [actual, expected] = [await on('wasm', work), await on('cpu', work)];
  expect(actual.length).toBe(expected.length);
  actual.forEach((one, i) => {
    expectClose(one, expected[i]!, tolerance);
  });
}

/** Checks the gradient of sum(f(x) * weights) at every entry of x by central differences, on wasm. */
async function expectLikeDifferences(
  f: (x: tf.Tensor) => tf.Tensor,
  shape: number[],
  shift = 0,
): Promise<void> {
  const step = 1 / 64;
  await tf.setBackend('wasm');
  const [gradient] = await on('wasm', () => {
    const x = values(shape, 3, shift);
    return tf.grad((at) => tf.sum(tf.mul(f(at), values(f(x).shape, 5))))(x);
  });
  const differences = Array.from(gradient!, (_, i) =>
    tf.tidy(() => {
      const [x, bump] = [values(shape, 3, shift).dataSync(), new Float32Array(gradient!.length)];
      bump[i] = step;
      const loss = (sign: number): number => {
        const y = f(
          tf.tensor(
            Float32Array.from(x, (v, k) => v + sign * bump[k]!),
            shape,
          ),
        );
        return tf.sum(tf.mul(y, values(y.shape, 5))).dataSync()[0]!;
      };
      return (loss(1) - loss(-1)) / (2 * step);
    }),
  );
  expectClose(gradient!, differences, 5e-3);
}

beforeAll(async () => {
  await useEngine('cpu');
  await useEngine('wasm');
});

const convolutions: [string, Shape4D, Shape4D, number | [number, number], Pad][] = [
  ['valid', [2, 9, 8, 3], [3, 3, 3, 4], 1, 'valid'],
  ['same', [2, 9, 8, 3], [3, 3, 3, 4], 1, 'same'],
  ['same, stride 2', [2, 9, 8, 3], [3, 3, 3, 5], 2, 'same'],
  ['valid, stride 2 x 1', [1, 8, 9, 2], [2, 3, 2, 3], [2, 1], 'valid'],
  ['stride beyond the window', [2, 10, 10, 2], [2, 2, 2, 3], 3, 'valid'],
  ['explicit padding 2', [1, 6, 7, 2], [5, 5, 2, 3], 1, 2],
  ['wide window, same', [1, 4, 3, 2], [5, 7, 2, 2], 1, 'same'],
  ['one channel each', [3, 12, 12, 1], [5, 5, 1, 1], 1, 'valid'],
  ['pointwise', [2, 5, 6, 7], [1, 1, 7, 3], 1, 'valid'],
  ['1 x 1, stride 2', [2, 7, 6, 3], [1, 1, 3, 4], 2, 'same'],
  ['over several blocks', [9, 40, 40, 4], [5, 5, 4, 2], 1, 'same'],
];

describe('the gradients of a convolution', () => {
  it.each(convolutions)('agree with cpu: %s', async (_, xShape, filterShape, strides, pad) => {
    await expectLikeCpu(() => {
      const [x, filter] = [values(xShape) as tf.Tensor4D, values(filterShape, 2) as tf.Tensor4D];
      const grads = tf.grads((a: tf.Tensor, b: tf.Tensor) => {
        const y = tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, strides, pad);
        return tf.sum(tf.mul(y, values(y.shape, 4)));
      });
      return grads([x, filter]);
    }, 2e-5);
  });

  it('agree with finite differences', async () => {
    const filter = [3, 3, 2, 3];
    await expectLikeDifferences(
      (x) => tf.conv2d(x as tf.Tensor4D, values(filter, 2) as tf.Tensor4D, 2, 'same'),
      [1, 5, 6, 2],
    );
    await expectLikeDifferences(
      (w) => tf.conv2d(values([1, 5, 6, 2]) as tf.Tensor4D, w as tf.Tensor4D, 2, 1),
      filter,
    );
  });

  it('start from the right output where the stride is longer than the window', async () => {
    await expectLikeCpu(() => {
      const x = values([2, 8, 7, 3]) as tf.Tensor4D;
      const [one, flat, each] = [
        [1, 1, 3, 2],
        [1, 3, 3, 2],
        [2, 1, 3, 2],
      ].map((shape) => values(shape, 2));
      return [
        tf.conv2d(x, one as tf.Tensor4D, 2, 'same'),
        tf.conv2d(x, flat as tf.Tensor4D, [2, 1], 'same'),
        tf.depthwiseConv2d(x, flat as tf.Tensor4D, 2, 'same'),
        tf.fused.conv2d({ x, filter: one as tf.Tensor4D, strides: 3, pad: 'same', activation: 'relu' }),
        tf.fused.depthwiseConv2d({ x, filter: each as tf.Tensor4D, strides: 2, pad: 'same' }),
      ];
    });
  });

  it('carry a transposed convolution', async () => {
    await expectLikeCpu(() => {
      const [x, filter] = [values([2, 4, 5, 3]) as tf.Tensor4D, values([3, 3, 2, 3], 2) as tf.Tensor4D];
      return tf.conv2dTranspose(x, filter, [2, 8, 10, 2], 2, 'same');
    });
  });

  it('agree with cpu for any shape', async () => {
    const side = fc.integer({ min: 1, max: 7 });
    const few = fc.integer({ min: 1, max: 3 });
    const shapes = fc.record({
      batch: few,
      height: side,
      width: side,
      kh: few,
      kw: few,
      input: few,
      output: few,
      stride: few,
      pad: fc.constantFrom<Pad>('same', 'valid'),
    });
    const run = async ({
      batch,
      height,
      width,
      kh,
      kw,
      input,
      output,
      stride,
      pad,
    }: typeof shapes extends fc.Arbitrary<infer T> ? T : never) => {
      fc.pre(pad === 'same' || (kh <= height && kw <= width));
      await expectLikeCpu(() => {
        const x = values([batch, height, width, input]) as tf.Tensor4D;
        const filter = values([kh, kw, input, output], 2) as tf.Tensor4D;
        return tf.grads((a: tf.Tensor, b: tf.Tensor) =>
          tf.sum(tf.square(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, stride, pad))),
        )([x, filter]);
      }, 5e-5);
    };
    await fc.assert(fc.asyncProperty(shapes, run), { numRuns: 60, seed: 7 });
  });
});

const depthwise: [string, Shape4D, Shape4D, number, Pad][] = [
  ['same', [2, 7, 8, 3], [3, 3, 3, 1], 1, 'same'],
  ['valid, multiplier 2', [2, 7, 8, 3], [3, 2, 3, 2], 1, 'valid'],
  ['same, stride 2', [1, 9, 8, 4], [3, 3, 4, 1], 2, 'same'],
  ['explicit padding', [1, 5, 5, 2], [5, 5, 2, 1], 1, 2],
  ['even window, same', [2, 5, 6, 3], [2, 4, 3, 1], 1, 'same'],
  ['padding beyond the window', [1, 4, 5, 2], [2, 2, 2, 1], 1, 3],
  ['valid, wide', [2, 4, 9, 9], [1, 5, 9, 1], 1, 'valid'],
];

describe('the gradients of a depthwise convolution', () => {
  it.each(depthwise)('agree with cpu: %s', async (_, xShape, filterShape, strides, pad) => {
    await expectLikeCpu(() => {
      const grads = tf.grads((a: tf.Tensor, b: tf.Tensor) => {
        const y = tf.depthwiseConv2d(a as tf.Tensor4D, b as tf.Tensor4D, strides, pad);
        return tf.sum(tf.mul(y, values(y.shape, 4)));
      });
      return grads([values(xShape), values(filterShape, 2)]);
    });
  });

  it('agree with finite differences', async () => {
    const filter = values([3, 3, 2, 2], 2).arraySync() as number[][][][];
    await expectLikeDifferences(
      (x) => tf.depthwiseConv2d(x as tf.Tensor4D, tf.tensor4d(filter), 2, 'same'),
      [1, 6, 5, 2],
    );
  });

  it('follow the dilation, which the cpu kernels ignore', async () => {
    const [xShape, filterShape, dilations] = [[1, 7, 7, 2], [3, 3, 2, 1] as Shape4D, [2, 2]];
    const attrs = { strides: [1, 1], pad: 'same', dilations };
    const [dx, dw, expectedX, expectedW] = await on('wasm', () => {
      const [x, filter] = [values(xShape), values(filterShape, 2)];
      const forward = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
        tf.depthwiseConv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, 'same', 'NHWC', [2, 2]);
      const dy = values(forward(x, filter).shape, 4);
      const run = (name: string, inputs: tf.NamedTensorMap, more: tf.NamedAttrMap): tf.Tensor =>
        tf.engine().runKernel(name, inputs, { ...attrs, ...more } as unknown as tf.NamedAttrMap);
      // Linear in each: the derivative along a one-hot direction is the forward pass of that direction.
      const along = (shape: number[], i: number): tf.Tensor =>
        tf.tensor(
          Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, k) => (k === i ? 1 : 0)),
          shape,
        );
      const each = (shape: number[], y: (e: tf.Tensor) => tf.Tensor): tf.Tensor =>
        tf.stack(
          Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) =>
            tf.sum(tf.mul(y(along(shape, i)), dy)),
          ),
        );
      return [
        run('DepthwiseConv2dNativeBackpropInput', { dy, filter }, { inputShape: xShape }),
        run('DepthwiseConv2dNativeBackpropFilter', { x, dy }, { filterShape }),
        each(xShape, (e) => forward(e, filter)),
        each(filterShape, (e) => forward(x, e)),
      ];
    });
    expectClose(dx!, expectedX!);
    expectClose(dw!, expectedW!);
  });
});

const poolings: [string, Shape4D, number | [number, number], number, Pad][] = [
  ['2 x 2', [2, 6, 8, 3], 2, 2, 'valid'],
  ['3 x 3, stride 2, same', [1, 6, 7, 2], 3, 2, 'same'],
  ['overlapping, same', [1, 5, 5, 2], 3, 1, 'same'],
  ['3 x 2, stride 3', [1, 7, 7, 1], [3, 2], 3, 'valid'],
];

describe('the gradient of max pooling', () => {
  for (const shift of [0, -3]) {
    it.each(poolings)(
      `agrees with finite differences, shifted by ${shift}: %s`,
      async (_, shape, size, stride, pad) => {
        await expectLikeDifferences((x) => tf.maxPool(x as tf.Tensor4D, size, stride, pad), shape, shift);
      },
    );
  }

  it('goes to the first of equal values, once', async () => {
    const work = (): tf.Tensor =>
      tf.grad((x) => tf.sum(tf.maxPool(x as tf.Tensor4D, 2, 2, 'valid')))(tf.zeros([1, 4, 4, 2]));
    await expectLikeCpu(work);
    const [gradient] = await on('wasm', work);
    expect(gradient!.reduce((a, b) => a + b)).toBe(8);
    expect(gradient!.slice(0, 2)).toEqual(Float32Array.of(1, 1));
  });
});

describe('the gradient of average pooling', () => {
  it.each(poolings)('agrees with finite differences: %s', async (_, shape, size, stride, pad) => {
    await expectLikeDifferences((x) => tf.avgPool(x as tf.Tensor4D, size, stride, pad), shape);
  });
});

describe('unsorted segment sum', () => {
  it('adds the rows of each segment and leaves out those of none', async () => {
    const [sums] = await on('wasm', () =>
      tf.unsortedSegmentSum(
        tf.tensor2d([
          [1, 2],
          [3, 4],
          [5, 6],
          [7, 8],
        ]),
        tf.tensor1d([2, 0, 2, -1], 'int32'),
        3,
      ),
    );
    expect(sums).toEqual(Float32Array.of(3, 4, 0, 0, 6, 8));
  });

  it('is the gradient of a gather', async () => {
    await expectLikeCpu(() => {
      const indices = tf.tensor1d([3, 0, 3, 4], 'int32');
      return [0, 1].map((axis) =>
        tf.grad((x) => tf.sum(tf.square(tf.gather(x, indices, axis))))(values([5, 6, 2])),
      );
    });
  });
});

describe('matrix multiplication', () => {
  it.each([
    [3, 4, 5],
    [33, 70, 17],
    [64, 1, 9],
    [1, 130, 50],
  ])('agrees with cpu for %i x %i x %i, however transposed', async (m, k, n) => {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        await expectLikeCpu(() => {
          const [a, b] = [values(transposeA ? [k, m] : [m, k]), values(transposeB ? [n, k] : [k, n], 2)];
          const bias = tf.reshape(values([1, n], 3), [n]) as tf.Tensor1D;
          const matrices = { a: a as tf.Tensor2D, b: b as tf.Tensor2D, transposeA, transposeB };
          return [
            tf.matMul(a, b, transposeA, transposeB),
            tf.fused.matMul({ ...matrices, bias, activation: 'relu' }),
          ];
        });
      }
    }
  });

  it('agrees with cpu over batches', async () => {
    await expectLikeCpu(() => [
      tf.matMul(values([3, 4, 5]), values([3, 6, 5], 2), false, true),
      tf.matMul(values([2, 3, 4, 5]), values([1, 1, 5, 4], 2)),
    ]);
  });

  it.each([
    [
      [3, 20, 60],
      [3, 60, 9],
    ],
    [
      [2, 3, 7, 50],
      [1, 1, 50, 13],
    ],
    [
      [1, 40, 60],
      [4, 60, 5],
    ],
  ])('agrees with cpu over batches of %j x %j, however transposed, with a bias', async (aShape, bShape) => {
    const flip = (shape: number[]): number[] => [...shape.slice(0, -2), ...shape.slice(-2).reverse()];
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        await expectLikeCpu(() => {
          const a = values(transposeA ? flip(aShape) : aShape) as tf.Tensor3D;
          const b = values(transposeB ? flip(bShape) : bShape, 2) as tf.Tensor3D;
          const bias = values([bShape.at(-1)!], 3);
          return [
            tf.matMul(a, b, transposeA, transposeB),
            tf.fused.matMul({ a, b, transposeA, transposeB, bias, activation: 'relu' }),
          ];
        });
      }
    }
  });

  it('repeats a batch along the axis that it lacks, where cpu takes the wrong one', async () => {
    const [actual, expected] = await on('wasm', () => {
      const [a, b] = [values([2, 1, 7, 50]), values([2, 3, 50, 13], 2)];
      return [tf.matMul(a, b), tf.matMul(tf.tile(a, [1, 3, 1, 1]), b)];
    });
    expectClose(actual!, expected!);
  });

  it('survives the same right side under two shapes', async () => {
    await expectLikeCpu(() => {
      const b = values([12, 8], 2);
      return [
        tf.matMul(values([5, 12]), b),
        tf.matMul(values([5, 8]), tf.reshape(b, [8, 12])),
        tf.matMul(values([5, 24]), tf.reshape(b, [24, 4])),
      ];
    });
  });
});

describe('a bias that was gathered or reshaped', () => {
  it('is accepted by the fused kernels', async () => {
    await expectLikeCpu(() => {
      const cut = tf.gather(values([6, 1], 3), [0, 2, 5]);
      const bias = tf.reshape(cut, [3]) as tf.Tensor1D;
      const x = values([1, 5, 5, 2]) as tf.Tensor4D;
      const filter = values([3, 3, 2, 3], 2) as tf.Tensor4D;
      const each = values([3, 3, 2, 1], 2) as tf.Tensor4D;
      const two = tf.reshape(tf.gather(values([2, 3], 3), [2], 1), [2]) as tf.Tensor1D;
      return [
        tf.fused.conv2d({ x, filter, strides: 1, pad: 'same', bias, activation: 'relu' }),
        tf.fused.depthwiseConv2d({ x, filter: each, strides: 1, pad: 'same', bias: two }),
        tf.fused.matMul({ a: values([4, 5]) as tf.Tensor2D, b: values([5, 3], 2) as tf.Tensor2D, bias }),
      ];
    });
  });
});

describe('gather', () => {
  it('agrees with cpu on any axis, batched or not, for all types', async () => {
    await expectLikeCpu(() => {
      const x = values([4, 5, 3, 40]);
      const indices = tf.tensor2d(
        [
          [2, 0],
          [1, 1],
          [0, 2],
          [2, 2],
        ],
        [4, 2],
        'int32',
      );
      return [
        ...[0, 1, 2, 3].map((axis) => tf.gather(x, indices, axis)),
        tf.gather(x, indices, 1, 1),
        tf.gather(x, indices, 2, 1),
        tf.gather(tf.cast(tf.mul(x, 9), 'int32'), indices, 1),
        tf.gather(tf.greater(x, 0), indices, 1),
        tf.gather(tf.zeros([0, 2]), tf.tensor1d([], 'int32')),
      ];
    });
  });

  it('refuses an index that is out of range', async () => {
    await tf.setBackend('wasm');
    const before = tf.engine().backend.numDataIds();
    const [x, indices] = [tf.zeros([3, 2]), tf.tensor1d([3], 'int32')];
    expect(() => tf.gather(x, indices)).toThrow('[engine] gather: index 3 is not in [0, 2]');
    tf.dispose([x, indices]);
    expect(tf.engine().backend.numDataIds()).toBe(before);
  });
});

describe('cast', () => {
  it('makes all but 0 true', async () => {
    await tf.setBackend('wasm');
    const isTrue = tf.tidy(() => tf.cast(tf.tensor1d([0.5, 0, -0, -3, 256, Number.NaN]), 'bool').dataSync());
    expect(Array.from(isTrue)).toEqual([1, 0, 0, 1, 1, 1]);
  });
});

describe('concat', () => {
  it('agrees with cpu along any axis, whatever the types and the sizes of the parts', async () => {
    const cases = fc
      .tuple(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }), fc.nat(3))
      .chain(([shape, axis]) =>
        fc.tuple(
          fc.constant(shape),
          fc.constant(axis % shape.length),
          fc.array(fc.nat(40), { minLength: 1, maxLength: 5 }).filter((sizes) => sizes.some((n) => n > 0)),
          fc.constantFrom('float32', 'int32', 'bool'),
        ),
      );
    await fc.assert(
      fc.asyncProperty(cases, async ([shape, axis, sizes, dtype]) => {
        await expectLikeCpu(() =>
          tf.concat(
            sizes.map((n) => tf.cast(tf.mul(values(shape.with(axis, n)), 9), dtype)),
            axis - (sizes.length % 2) * shape.length,
          ),
        );
      }),
      { numRuns: 100, seed: 4 },
    );
  });

  it('leaves texts, and parts that do not fit, to those who know them', async () => {
    await tf.setBackend('wasm');
    const texts = tf.tidy(() => tf.concat([tf.tensor(['a', 'b']), tf.tensor(['c'])]).dataSync());
    expect(Array.from(texts)).toEqual(['a', 'b', 'c']);
    const before = tf.engine().backend.numDataIds();
    expect(() => tf.tidy(() => tf.concat([tf.zeros([2, 3]), tf.zeros([3, 4])]))).toThrow(/shape/);
    expect(tf.engine().backend.numDataIds()).toBe(before);
  });
});

describe('slice', () => {
  it('agrees with cpu for any part of any tensor', async () => {
    const axis = fc
      .integer({ min: 1, max: 6 })
      .chain((length) =>
        fc
          .tuple(fc.constant(length), fc.nat(length - 1))
          .chain(([n, begin]) =>
            fc.tuple(fc.constant(n), fc.constant(begin), fc.integer({ min: 0, max: n - begin })),
          ),
      );
    await fc.assert(
      fc.asyncProperty(fc.array(axis, { minLength: 1, maxLength: 5 }), async (axes) => {
        await expectLikeCpu(() =>
          tf.slice(
            values(axes.map(([n]) => n)),
            axes.map(([, begin]) => begin),
            axes.map(([, , size]) => size),
          ),
        );
      }),
      { numRuns: 100, seed: 3 },
    );
  });

  it('agrees with cpu for long runs and other types', async () => {
    await expectLikeCpu(() => {
      const x = values([6, 50, 3]);
      return [
        tf.slice(x, [1, 0, 0], [2, 50, 3]),
        tf.slice(x, [1, 7], [-1, 40]),
        tf.slice(tf.greater(x, 0), [0, 2, 1], [3, 4, 1]),
        tf.slice(tf.cast(tf.mul(x, 9), 'int32'), 2),
      ];
    });
  });

  it('refuses a part that sticks out', async () => {
    await tf.setBackend('wasm');
    expect(() => tf.tidy(() => tf.slice(tf.zeros([3]), 2, 2))).toThrow();
  });
});

describe('a clone', () => {
  it('shares its data and outlives the original', async () => {
    await tf.setBackend('wasm');
    const [ids, original] = [tf.engine().backend.numDataIds(), values([3])];
    const copy = tf.clone(original);
    expect(tf.engine().backend.numDataIds()).toBe(ids + 1);
    const expected = original.dataSync();
    original.dispose();
    expect(copy.dataSync()).toEqual(expected);
    copy.dispose();
    expect(tf.engine().backend.numDataIds()).toBe(ids);
  });
});
