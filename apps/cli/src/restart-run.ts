import { take } from '@espalier/datasets';
import { formatPercent, formatSeconds } from '@espalier/report';
import {
  type AttemptEvent,
  checkRestart,
  type RestartOptions,
  type RestartResult,
  restart,
} from '@espalier/trainer';
import { type RunFolder, runFolder } from '@espalier/trainer/node';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { withTensors } from './data.ts';
import { finishRun } from './finish-run.ts';
import { interruptible } from './interrupt.ts';
import { measureAll } from './measure.ts';
import { checkFit } from './model-file.ts';
import { checkNoiseFits, trainedWith } from './options/noise.ts';
import { CALIBRATION } from './options/pruning.ts';
import { removeRun, rewindRecord } from './run-settings.ts';
import { newFolder, type Run } from './train-run.ts';
import type { Result, Ui } from './ui.ts';

/** A search for the smallest network that does as well. */
export interface RestartRun extends Run {
  /** Who says which groups have units to spare. */
  readonly pruning: NonNullable<RestartOptions['pruning']> | undefined;
}

/** Searches in the run's folder: the record grows attempt by attempt. */
export async function restartRun(run: RestartRun, template: LayersModel, ui: Ui): Promise<Result> {
  const { options, out, data, seed } = run;
  checkFit(template, data.dataset);
  checkNoiseFits(options, data.dataset.inputShape);
  const settings = settingsOf(run);
  // before an earlier run makes room
  checkRestart(template, settings);
  if (data.dataset.validation.rows === 0) {
    throw new Error(
      `${data.dataset.name} has no validation rows with these options, and --restart goes by them: use --split 70:15:15`,
    );
  }
  let done = 0;
  const advice = (): string =>
    done > 0
      ? `${done} attempts are kept, go on with: espalier train --out ${out} --resume`
      : 'no attempt was done and nothing is kept';
  try {
    return await interruptible(ui.io, advice, async (check) => {
      const { folder, attempts } = await openFolder(run, template);
      if (attempts.length > 0) ui.note(`Going on after ${attempts.length} attempts`);
      done = attempts.length;
      const found = await search(run, { folder, template, settings: { ...settings, done: attempts } }, ui, {
        check,
        onDone: () => done++,
      });
      for (const event of found.epochs) await folder.append(event);
      const outcome = { model: found.model, stage: 'smallest that held', plans: [] };
      return finishRun(folder, outcome, { data, seed, options }, ui);
    });
  } catch (error) {
    // what a search that goes on was left with is never thrown away
    if (done === 0 && !options.resume) await removeRun(out);
    throw error;
  }
}

function settingsOf({ options, epochs, seed, pruning }: RestartRun): RestartOptions {
  const { batchSize, earlyStopping, restart: given, scope, keep } = options;
  return {
    ...(typeof given === 'object' && given),
    training: {
      epochs,
      seed,
      ...(batchSize !== undefined && { batchSize }),
      ...(earlyStopping !== undefined && { earlyStopping: { patience: earlyStopping } }),
      noise: trainedWith(options),
    },
    ...(scope && { scope }),
    ...(keep && { keep }),
    ...(pruning && { pruning }),
  };
}

/** A new folder, or that of the interrupted search with what it has tried. */
async function openFolder(
  run: RestartRun,
  template: LayersModel,
): Promise<{ readonly folder: RunFolder; readonly attempts: readonly AttemptEvent[] }> {
  if (run.options.resume) {
    const folder = await runFolder(run.out, { keep: true });
    // the last training is made again, as are all measurements of it
    await rewindRecord(folder.recordFile, (event) => event.type === 'epoch');
    const attempts = (await folder.events()).filter((event) => event.type === 'attempt');
    if (attempts.length > 0) return { folder, attempts };
  }
  return { folder: await newFolder(run, template), attempts: [] };
}

interface Search {
  readonly folder: RunFolder;
  readonly template: LayersModel;
  readonly settings: RestartOptions;
}

interface Watching {
  check(): void;
  onDone(): void;
}

async function search(
  { data: { dataset }, epochs, options }: RestartRun,
  { folder, template, settings }: Search,
  ui: Ui,
  { check, onDone }: Watching,
): Promise<RestartResult> {
  const { calibration = CALIBRATION } = options;
  const progress = ui.progress(epochs);
  const parts = {
    train: dataset.train,
    validation: dataset.validation,
    test: dataset.test,
    judged: take(dataset.train, calibration),
  };
  try {
    return await withTensors(dataset, parts, ({ train, validation, test, judged }) =>
      restart(
        template,
        { train, validation },
        {
          ...settings,
          ...(settings.pruning && { pruning: { ...settings.pruning, calibration: judged } }),
          training: {
            ...settings.training,
            onProgress(epoch, part) {
              check();
              progress.update(epoch, part);
            },
          },
          async onAttempt(event, model) {
            progress.stop();
            ui.note(attemptLine(event));
            // the full size, to compare with
            if (event.attempt === 0) {
              await folder.append(await measureAll(model, test, { stage: 'full size', split: 'test' }));
            }
            await folder.append(event);
            onDone();
          },
        },
      ),
    );
  } finally {
    progress.stop();
  }
}

const attemptLine = ({ groups, accuracy, target, held, attempt, seconds }: AttemptEvent): string =>
  [
    `attempt ${attempt}`,
    groups.map(({ id, units }) => `${id} ${units}`).join(', '),
    `validation accuracy ${formatPercent(accuracy, 2)}`,
    attempt === 0
      ? `at least ${formatPercent(target, 2)} holds`
      : held
        ? 'held'
        : `fell short of ${formatPercent(target, 2)}`,
    formatSeconds(seconds),
  ].join('  ');
