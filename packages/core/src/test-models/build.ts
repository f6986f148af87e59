/**
 * Random models as plain data: a short list of steps that `build` makes a model of, whatever they say. A
 * step that does not fit where it stands is left out, so that fast-check may shrink the list as it likes.
 */
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { product } from '../graph/labels.ts';
import { Builder, hasUnknown, type Step, shapeOf } from './builder.ts';
import { makers, type Operation } from './makers/index.ts';
import { normal, uniform } from './random.ts';

export type { Step } from './builder.ts';

/** What comes in. */
export interface InputDescription {
  /** Without the batch. */
  readonly shape: readonly number[];
  /** Whether they are numbers of words, which an Embedding looks up. */
  readonly words?: boolean;
}

export interface ModelDescription {
  readonly inputs: readonly InputDescription[];
  readonly steps: readonly Step[];
  /** What is made of each tensor that no step took. */
  readonly head: number;
  /** Of the weights. */
  readonly seed: number;
}

const VOCABULARY = 5;

/** The model; its outputs are all tensors that nobody took, most of them through a Dense layer. */
export function build({ inputs, steps, head, seed }: ModelDescription): LayersModel {
  const sources = inputs.map(({ shape, words }, i) =>
    input({ shape: [...shape], name: words ? `words${i}` : `input${i}` }),
  );
  const builder = new Builder(
    makers,
    sources.map((source, i) => (inputs[i]!.words ? embedded(source, `table${i}`) : source)),
  );
  for (const step of steps) builder.step(step);
  const loose = builder.unused;
  const outputs = loose.map((tensor, i) =>
    outputOf(builder, tensor, head + i, `output${i}`, loose.length > 1),
  );
  const built = modelOf({ inputs: sources, outputs, name: 'generated' });
  liven(built, seed);
  return built;
}

function embedded(words: SymbolicTensor, name: string): SymbolicTensor {
  const table = layers.embedding({ inputDim: VOCABULARY, outputDim: 4, name });
  return table.apply(words) as SymbolicTensor;
}

/** Logits, or now and then the features themselves. */
function outputOf(
  builder: Builder,
  tensor: SymbolicTensor,
  kind: number,
  name: string,
  oneOfSeveral: boolean,
): SymbolicTensor {
  const shape = shapeOf(tensor);
  if (kind % 4 === 3 && oneOfSeveral && !hasUnknown(shape)) return tensor;
  const operation: Operation = kind % 4 === 0 || hasUnknown(shape) ? 'globalPool' : 'flatten';
  const before = builder.unused;
  makers[operation](builder, tensor, shape, { operation, from: 0, other: 0, size: 1, option: kind % 7 });
  const vector = builder.unused.find((made) => !before.includes(made)) ?? tensor;
  return builder.apply(layers.dense({ units: 2, name }), vector);
}

/** Weights as a trained model could have them: none of them trivial, and signals of about one size throughout. */
export function liven(model: LayersModel, seed: number): void {
  const next = normal(seed);
  const even = uniform(seed + 1);
  for (const weight of model.weights) {
    const { shape } = weight;
    const name = weight.originalName.split('/').at(-1)!;
    const fanIn =
      name === 'depthwise_kernel' ? shape[0]! * shape[1]! : product(shape.slice(0, -1) as number[]);
    const draw = (): number => {
      if (name.endsWith('kernel')) return next() * Math.sqrt(2 / fanIn);
      if (name === 'embeddings') return next();
      if (name === 'gamma' || name === 'moving_variance') return 0.5 + even();
      if (name === 'alpha') return even() / 2;
      return next() * 0.3;
    };
    const values = Float32Array.from({ length: product(shape as number[]) }, draw);
    tf.tidy(() => {
      weight.write(tf.tensor(values, shape as number[]));
    });
  }
}

/** One random tensor for each input. */
export function examples(model: LayersModel, count: number, seed: number): tf.Tensor[] {
  const next = normal(seed);
  const even = uniform(seed);
  return model.inputs.map(({ shape, name }) => {
    const full = [count, ...(shape.slice(1) as number[])];
    const draw = name.startsWith('words') ? () => Math.floor(even() * VOCABULARY) : next;
    return tf.tensor(Float32Array.from({ length: product(full) }, draw), full);
  });
}
