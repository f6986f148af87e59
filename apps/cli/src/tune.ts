import { maskedPlan } from '@espalier/core';
import { take } from '@espalier/datasets';
import {
  type RunEvent,
  type TrainOptions,
  type TrainPruning,
  type TrainResult,
  type TrainState,
  train,
} from '@espalier/trainer';
import type { RunFolder } from '@espalier/trainer/node';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { withTensors } from './data.ts';
import { trainedWith } from './options/noise.ts';
import { CALIBRATION } from './options/pruning.ts';
import { PlanFiles } from './plan-files.ts';
import type { PruneRun } from './prune-model.ts';
import { pruneLine } from './train-run.ts';
import type { Ui } from './ui.ts';

/** How a model is pruned and fine-tuned. */
export interface TuneRun extends PruneRun {
  /** What is pruned on the way. */
  readonly prunings: readonly TrainPruning[];
  /** The unpruned model, if it teaches. */
  readonly teacher: LayersModel | undefined;
}

/** A fine-tuning, from its start or from where it was cut off. */
interface Tuning {
  readonly folder: RunFolder;
  readonly state: TrainState;
  /** Told of each checkpoint, with the epochs done. */
  onCheckpoint(epoch: number): void;
}

/** Where a fine-tuning stands before its first epoch. */
export function startOf(model: LayersModel): TrainState {
  const masked = maskedPlan(model);
  return { model, epoch: 0, phases: [], prunings: 0, ...(masked && { masked }) };
}

/**
 * Fine-tunes on the training rows, and prunes on the way if told to. The record counts the epochs on from those of the
 * training before.
 */
export async function tune(
  run: TuneRun,
  { folder, state: { model, ...resume }, onCheckpoint }: Tuning,
  ui: Ui,
): Promise<TrainResult> {
  const { options, dataset, prunings, done, check } = run;
  const { epochs = 1, calibration = CALIBRATION } = options;
  const progress = ui.progress(epochs);
  const plans = new PlanFiles(folder);
  const parts = {
    examples: dataset.train,
    validation: dataset.validation,
    judged: take(dataset.train, calibration),
  };
  try {
    return await withTensors(dataset, parts, ({ examples, validation, judged }) =>
      train(
        model,
        { train: examples, ...(dataset.validation.rows > 0 && { validation }) },
        {
          ...tuningOf(run),
          pruning: prunings.map((one) => ({ ...one, calibration: judged })),
          resume,
          onProgress(epoch, part) {
            check();
            progress.update(epoch, part);
          },
          async onEvent(event) {
            await folder.append(counted(event, done));
            if (event.type === 'epoch') progress.epochDone(event);
            if (event.type === 'prune') ui.note(pruneLine(event));
          },
          onPlan: (plan, epoch) => plans.write(plan, epoch + done),
          async onEpochEnd(state) {
            await folder.checkpoint(state);
            onCheckpoint(state.epoch);
          },
        },
      ),
    );
  } finally {
    progress.stop();
  }
}

/** All that does not need the data. */
export function tuningOf({ options, seed, teacher, prunings }: TuneRun): TrainOptions {
  const { epochs = 1, batchSize, earlyStopping, removal, distill } = options;
  return {
    epochs,
    seed,
    pruning: prunings,
    ...(batchSize !== undefined && { batchSize }),
    ...(earlyStopping !== undefined && { earlyStopping: { patience: earlyStopping } }),
    ...(removal && { removal }),
    noise: trainedWith(options),
    ...(teacher && { distillation: { teacher, ...(typeof distill === 'object' && distill) } }),
  };
}

/** An event with its epochs counted on from those that were done. */
const counted = (event: RunEvent, done: number): RunEvent =>
  event.type === 'epoch' || event.type === 'prune' ? { ...event, epoch: event.epoch + done } : event;
