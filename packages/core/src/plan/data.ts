import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { lossesWithout } from '../evidence/losses.ts';
import { areProbabilities, drawn, weigh } from '../evidence/sensitivity.ts';
import type { Watch } from '../evidence/watch.ts';
import { lossFunctionsOf } from '../model.ts';

/** Examples to judge units by, as `model.fit` takes them. They are not disposed. */
export interface CalibrationData {
  /** [examples, ...]; one for each input of the model. */
  readonly x: tf.Tensor | tf.Tensor[];
  /** [examples, ...]; one for each output. Needed by pruners that look at errors or losses. */
  readonly y?: tf.Tensor | tf.Tensor[];
  /**
   * How many examples are run at a time; their activations in all groups of the scope are held at once, so large
   * maps want fewer. Default 256.
   */
  readonly batchSize?: number;
}

const listOf = (tensors: tf.Tensor | tf.Tensor[]): tf.Tensor[] =>
  Array.isArray(tensors) ? tensors : [tensors];

const isTensors = (given: unknown): boolean =>
  Array.isArray(given) ? given.every((one) => one instanceof tf.Tensor) : given instanceof tf.Tensor;

/** What is told of the examples as they run. */
export type Watcher = Pick<Watch, 'needs' | 'groups' | 'epochBegin' | 'attach' | 'batchEnd' | 'detach'> &
  Partial<Pick<Watch, 'weighted'>>;

/**
 * Runs the examples through the model batch by batch, in inference mode (no dropout, moving averages in
 * batch normalisation), with gradients if someone looks at errors.
 *
 * @throws if the data does not fit the model.
 */
export async function runThrough(model: LayersModel, data: CalibrationData, watch: Watcher): Promise<void> {
  if (!isTensors(data.x) || (data.y !== undefined && !isTensors(data.y))) {
    throw new Error(
      '[core] data.x and data.y must be tensors, as model.fit takes them (or lists of tensors)',
    );
  }
  const xs = listOf(data.x);
  const ys = data.y === undefined ? [] : listOf(data.y);
  checkData(model, xs, ys, watch);
  const examples = xs[0]!.shape[0]!;
  const batchSize = data.batchSize ?? 256;
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new Error(`[core] data.batchSize must be a whole number of at least 1, got ${batchSize}`);
  }
  watch.epochBegin();
  const { weighted = [] } = watch;
  const probable = weighted.length > 0 ? await probabilities(model, xs) : [];
  for (let start = 0; start < examples; start += batchSize) {
    const count = Math.min(batchSize, examples - start);
    const batch = (tensors: readonly tf.Tensor[]) => tensors.map((tensor) => tf.slice(tensor, start, count));
    tf.tidy(() => {
      runBatch(model, batch(xs), batch(ys), watch);
      if (weighted.length > 0) weigh(weighted, () => drawn(forward(model, batch(xs)), probable, start + 1));
    });
    // lets a browser breathe and a terminal draw
    await tf.nextFrame();
  }
}

/** Which outputs are class probabilities, by those for the first example. */
async function probabilities(model: LayersModel, xs: readonly tf.Tensor[]): Promise<boolean[]> {
  const outputs = tf.tidy(() =>
    forward(
      model,
      xs.map((x) => tf.slice(x, 0, 1)),
    ),
  );
  try {
    return await areProbabilities(outputs);
  } finally {
    tf.dispose(outputs);
  }
}

function runBatch(model: LayersModel, xs: tf.Tensor[], ys: readonly tf.Tensor[], watch: Watcher): void {
  // unheard, since the units are taken away meanwhile
  const losses = watch.needs.has('losses')
    ? watch.groups.map((group) => lossesWithout(group, () => lossesOf(model, xs, ys)))
    : undefined;
  // only while our own batch runs: somebody may use the model in between
  watch.attach(model, 'always');
  try {
    tf.tidy(() => {
      if (watch.needs.has('errors')) backward(model, xs, ys, watch);
      else forward(model, xs);
    });
    watch.batchEnd(losses);
  } finally {
    watch.detach();
  }
}

/** Whether someone looks at what comes of the loss. */
const needsLoss = ({ needs }: Watcher): boolean => needs.has('errors') || needs.has('losses');

function checkData(
  model: LayersModel,
  xs: readonly tf.Tensor[],
  ys: readonly tf.Tensor[],
  watch: Watcher,
): void {
  if (xs.length !== model.inputs.length) {
    throw new Error(
      `[core] the model has ${model.inputs.length} inputs, but data.x has ${xs.length} tensors`,
    );
  }
  const examples = xs[0]!.shape[0] ?? 0;
  if (examples === 0) throw new Error('[core] data.x has no examples');
  if ([...xs, ...ys].some((tensor) => tensor.shape[0] !== examples)) {
    throw new Error('[core] all tensors of data must have equally many examples');
  }
  checkShapes('x', xs, model.inputs);
  if (!needsLoss(watch)) return;
  if (ys.length !== model.outputs.length) {
    throw new Error(
      `[core] a pruner looks at errors or losses, so data.y must hold the targets of ${model.outputs.length} outputs`,
    );
  }
  if (!lossFunctionsOf(model)) {
    throw new Error(
      '[core] a pruner looks at errors or losses, so the model needs a loss: call model.compile({ loss, optimizer })',
    );
  }
}

function checkShapes(name: string, tensors: readonly tf.Tensor[], wanted: readonly SymbolicTensor[]): void {
  wanted.forEach(({ shape }, i) => {
    const found = tensors[i]!.shape;
    if (found.length === shape.length && shape.every((n, a) => a === 0 || n === null || n === found[a]))
      return;
    throw new Error(
      `[core] data.${name}[${i}] should have shape [${shape.map((n) => n ?? 'any')}], but has [${found}]`,
    );
  });
}

const forward = (model: LayersModel, xs: tf.Tensor[]): tf.Tensor[] =>
  listOf(model.apply(xs.length === 1 ? xs[0]! : xs, { training: false }) as tf.Tensor | tf.Tensor[]);

/**
 * Back from the mean loss of the batch to the weights that make the watched units, past their activations. No
 * weight makes a flattened feature: all are taken then.
 */
function backward(model: LayersModel, xs: tf.Tensor[], ys: readonly tf.Tensor[], watch: Watcher): void {
  const weights = watch.groups.every(({ makes }) => makes.length > 0)
    ? watch.groups.flatMap(({ makes }) => makes.map(({ weight }) => weight.variable.read()))
    : model.weights.map((weight) => weight.read());
  const functions = lossFunctionsOf(model)!;
  const loss = (): tf.Scalar => {
    const losses = forward(model, xs).map((output, i) => tf.mean(functions[i]!(ys[i]!, output)));
    return tf.reshape(tf.addN(losses), []) as tf.Scalar;
  };
  tf.engine().gradients(loss, [...new Set(weights)] as tf.Tensor[], undefined, true);
}

/** The loss of each pattern, [patterns]: the mean over whatever else an output has, the sum over outputs. */
function lossesOf(model: LayersModel, xs: tf.Tensor[], ys: readonly tf.Tensor[]): tf.Tensor1D {
  const patterns = xs[0]!.shape[0]!;
  const functions = lossFunctionsOf(model)!;
  const losses = forward(model, xs).map((output, i) => {
    const made = functions[i]!(ys[i]!, output);
    if (made.shape[0] === patterns) return tf.mean(tf.reshape(made, [patterns, -1]), 1);
    throw new Error(
      `[core] the loss of output ${i} must be a number for each example, [${patterns}, ...], to see what each unit is ` +
        `worth to it, but has shape [${made.shape}]`,
    );
  });
  return tf.addN(losses) as tf.Tensor1D;
}
