import * as tf from '@tensorflow/tfjs-core';
import { type Callback, CustomCallback, type LayersModel } from '@tensorflow/tfjs-layers';
import type { Teacher } from './distillation.ts';
import { type Examples, evaluate } from './evaluate.ts';
import type { EpochEvent } from './record.ts';

/** One epoch of a training. */
export interface EpochArgs {
  readonly train: Examples;
  readonly validation?: Examples;
  readonly batchSize: number;
  /** Epochs done before. */
  readonly done: number;
  readonly callbacks: readonly Callback[];
  /** Whom the model learns from beside the targets. The training loss counts both, that on validation data never. */
  readonly teacher?: Teacher | undefined;
  /** Told after each batch how much of the epoch is done, 0 to 1. */
  readonly onProgress?: (epoch: number, done: number) => void;
}

/**
 * Fits a model for one epoch.
 *
 * @throws if the loss or a weight becomes NaN or infinite.
 */
export async function fitEpoch(
  model: LayersModel,
  { train, validation, batchSize, done, callbacks, teacher, onProgress }: EpochArgs,
): Promise<EpochEvent> {
  const start = performance.now();
  const batches = Math.ceil(train.x.shape[0]! / batchSize);
  let diverged = false;
  const guard = new CustomCallback({
    onBatchEnd: (batch, logs) => {
      diverged ||= !Number.isFinite(logs?.loss);
      // there is no use in going on, and the weights are lost
      if (diverged) model.stopTraining = true;
      onProgress?.(done + 1, (batch + 1) / batches);
    },
  });
  const fit = ({ x, y }: Examples, held: Examples | undefined) =>
    model.fit(x, y, {
      batchSize,
      epochs: done + 1,
      initialEpoch: done,
      verbose: 0,
      callbacks: [...callbacks, guard],
      ...(held && { validationData: [held.x, held.y] as [tf.Tensor, tf.Tensor] }),
    });
  const { history } = teacher
    ? await teacher.teach(model, train, (lesson) => fit(lesson, undefined))
    : await fit(train, validation);
  const last = (...names: readonly string[]) => {
    const name = names.find((key) => history[key] !== undefined);
    return name === undefined ? undefined : (history[name]!.at(-1) as number);
  };
  const loss = last('loss');
  // some engines' losses hide weights that are NaN
  if (diverged || loss === undefined || !Number.isFinite(loss) || !(await hasFiniteWeights(model))) {
    throw new Error(
      `[trainer] the training diverged in epoch ${done + 1} (loss ${loss}): lower the learning rate, or look for ` +
        `NaN in the data${done > 0 ? '. Earlier checkpoints, if there are any, are as they were' : ''}`,
    );
  }
  const accuracy = last('acc', 'accuracy');
  // what the model is compiled with again does not know the teacher
  const judged = teacher && validation ? await evaluate(model, validation) : undefined;
  const valLoss = judged?.loss ?? last('val_loss');
  const valAccuracy = judged?.accuracy ?? last('val_acc', 'val_accuracy');
  return {
    type: 'epoch',
    epoch: done + 1,
    loss,
    ...(accuracy !== undefined && { accuracy }),
    ...(valLoss !== undefined && { valLoss }),
    ...(valAccuracy !== undefined && { valAccuracy }),
    seconds: (performance.now() - start) / 1000,
  };
}

async function hasFiniteWeights(model: LayersModel): Promise<boolean> {
  // infinities and NaN survive any sum
  const total = tf.tidy(() => tf.addN(model.getWeights().map((weight) => tf.sum(weight))));
  const [sum] = await total.data();
  total.dispose();
  return Number.isFinite(sum);
}
