import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { useEngine } from './index.ts';
import { type LayerCase, layerTable, upstreamFailures, withoutGradient } from './test-models/layer-table.ts';

const BATCH = 3;
const STEP = 1 / 512;

/** Entries of one variable whose gradient is compared with differences; a variable with more is sampled. */
const SAMPLED = 24;

/** Numbers from -1 to 1, all different by at least 1 / size, in an order that looks random. */
function values(size: number, seed: number): Float32Array {
  // 7919 is a prime that divides no size used here: this visits every rank once.
  return Float32Array.from({ length: size }, (_, i) => {
    const rank = (i * 7919 + seed * 104729) % size;
    return (2 * rank + 1.13) / size - 1;
  });
}

/** What the output is multiplied by; mostly positive, so that sums of it don't cancel out. */
const weighting = (size: number): Float32Array => values(size, 11).map((v) => v + 0.5);

/** One layer with its inputs as variables: its gradients, and its output at any nearby point. */
class Trial {
  readonly layer: InstanceType<typeof layers.Layer>;
  readonly variables: tf.Variable[];
  readonly #inputs: tf.Variable[];

  constructor({ make, inputs, indices, shift = 0 }: LayerCase) {
    this.layer = make();
    const variables: tf.Variable[] = [];
    this.#inputs = inputs.map((shape, i) => {
      const size = BATCH * tf.util.sizeFromShape([...shape]);
      const data = indices
        ? values(size, i).map((v) => Math.floor((v + 1) * 2.5))
        : values(size, i + 1).map((v) => v + shift);
      return tf.tidy(() => tf.variable(tf.tensor(data, [BATCH, ...shape])));
    });
    if (!indices) variables.push(...this.#inputs);
    tf.tidy(() => this.run());
    tf.tidy(() =>
      this.layer.setWeights(
        this.layer.getWeights().map((w, i) => {
          const variance = /moving_variance/.test(this.layer.weights[i]!.name);
          return tf.tensor(
            values(w.size, i + 3).map((v) => (variance ? 1.5 + v / 2 : 0.8 * v)),
            w.shape,
          );
        }),
      ),
    );
    for (const weight of this.layer.trainableWeights) variables.push(weight.read() as tf.Variable);
    this.variables = variables;
  }

  run(): tf.Tensor {
    const inputs: tf.Tensor[] = this.#inputs;
    return this.layer.apply(inputs.length === 1 ? inputs[0]! : inputs, { training: true }) as tf.Tensor;
  }

  output(): Float32Array {
    return tf.tidy(() => this.run().dataSync() as Float32Array);
  }

  /** Per input and per weight. */
  gradients(): Float32Array[] {
    return tf.tidy(() => {
      const weighted = (): tf.Scalar => {
        const output = this.run();
        return tf.sum(tf.mul(output, tf.tensor(weighting(output.size), output.shape)));
      };
      const { grads } = tf.variableGrads(weighted, this.variables);
      return this.variables.map(({ name }) => grads[name]!.dataSync() as Float32Array);
    });
  }

  /** The derivative of the weighted output by one entry of a variable, by central differences. */
  difference(variable: tf.Variable, entry: number, step: number): number {
    const at = variable.dataSync() as Float32Array;
    const loss = (shift: number): number =>
      tf.tidy(() => {
        variable.assign(
          tf.tensor(
            Float32Array.from(at, (v, i) => (i === entry ? v + shift : v)),
            variable.shape,
          ),
        );
        const output = this.run();
        const weights = weighting(output.size);
        return (output.dataSync() as Float32Array).reduce((sum: number, y, i) => sum + y * weights[i]!, 0);
      });
    const slope = (loss(step) - loss(-step)) / (2 * step);
    tf.tidy(() => variable.assign(tf.tensor(at, variable.shape)));
    return slope;
  }
}

/** The largest difference, relative to the largest expected value. */
function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const scale = Math.max(1e-2, ...Array.from(expected, Math.abs));
  return (
    Math.max(0, ...Array.from(actual, (v, i) => Math.abs(v - expected[i]!) / scale)) ||
    (Array.from(actual).some(Number.isNaN) ? NaN : 0)
  );
}

beforeAll(async () => {
  await useEngine('cpu');
  await useEngine('wasm');
});

describe('one step on wasm', () => {
  it.each(Object.entries(layerTable))('%s', async (_, row) => {
    await tf.setBackend('wasm');
    const trial = new Trial(row);
    const [output, gradients] = [trial.output(), trial.gradients()];
    trial.variables.forEach((variable, v) => {
      const gradient = gradients[v]!;
      const stride = Math.max(1, gradient.length / SAMPLED);
      const entries = Array.from({ length: Math.min(SAMPLED, gradient.length) }, (_, i) =>
        Math.floor(i * stride),
      );
      const slopes = entries.map((entry) => trial.difference(variable, entry, STEP));
      const sampled = entries.map((entry) => gradient[entry]!);
      expect(distance(sampled, slopes), `gradient ${v}, against differences`).toBeLessThan(1e-2);
    });
    await tf.setBackend('cpu');
    expect(distance(output, trial.output()), 'output, against cpu').toBeLessThan(1e-5);
    if (row.cpuIsWrong) return;
    trial.gradients().forEach((expected, v) => {
      expect(distance(gradients[v]!, expected), `gradient ${v}, against cpu`).toBeLessThan(1e-5);
    });
  });

  it('is tried for every layer that TensorFlow.js can build', () => {
    const tried = new Set(Object.keys(layerTable).map((name) => name.split(/[ ,]/)[0]!));
    const missing = Object.keys(layers).filter((name) => !tried.has(name) && !(name in withoutGradient));
    expect(missing).toEqual([]);
  });
});

describe('TensorFlow.js itself still refuses', () => {
  it.each(Object.entries(upstreamFailures))('%s', async (_, { row, message, only }) => {
    for (const engine of ['wasm', 'cpu']) {
      await tf.setBackend(engine);
      const attempt = (): unknown => new Trial(row).gradients();
      if (only === undefined || only === engine) expect(attempt, engine).toThrow(message);
      else expect(attempt, engine).not.toThrow();
    }
  });
});
