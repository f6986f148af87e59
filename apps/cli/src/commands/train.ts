import { buildModel } from '@espalier/models';
import type { Command } from 'commander';
import { addConfigOptions, configResult, outOf, withConfig } from '../config/file.ts';
import { trainConfig } from '../config/schema.ts';
import { loadData } from '../data.ts';
import { startEngineFor } from '../engine.ts';
import { asUsage, UsageError } from '../errors.ts';
import { compile } from '../model-file.ts';
import { addEngineOptions } from '../options/common.ts';
import { addDataOptions } from '../options/data.ts';
import { addExportOptions } from '../options/export.ts';
import { addModelOptions, chooseModel } from '../options/model.ts';
import { addNoiseOption, addTrainNoiseOption } from '../options/noise.ts';
import { addPhasesOption, addScheduleOptions, judgesOf, phasesOf } from '../options/phases.ts';
import { addPruningOptions } from '../options/pruning.ts';
import { addRemovalOptions } from '../options/removal.ts';
import { addRestartOption } from '../options/restart.ts';
import { addResumeOption, checkResume } from '../options/resume.ts';
import { addTrainingOptions } from '../options/training.ts';
import { place } from '../parse.ts';
import { restartRun } from '../restart-run.ts';
import { checkFree, readSettings, runIn } from '../run-settings.ts';
import { type TrainCommandOptions, trainRun } from '../train-run.ts';
import type { Result, Ui } from '../ui.ts';

const EPOCHS = 5;

export const addTrain = (program: Command, ui: Ui): void => {
  const command = program
    .command('train')
    .description('Train a network, and prune it on the way if told to.');
  addModelOptions(command);
  addDataOptions(command);
  addTrainingOptions(command, { epochs: EPOCHS, least: 1 });
  addTrainNoiseOption(addNoiseOption(command));
  addPruningOptions(command);
  addRemovalOptions(command);
  addScheduleOptions(command);
  addPhasesOption(command);
  addExportOptions(command);
  addRestartOption(command);
  addResumeOption(command)
    .option('--out <dir>', 'where model/, plans/, record.jsonl and report.html go', place)
    .option('--overwrite', 'replace a run that is in --out')
    .option('--no-report', 'write no report.html');
  addConfigOptions(command);
  addEngineOptions(command).action(async (given: TrainCommandOptions) => {
    if (given.resume) checkResume(command);
    const options = await withConfig(command, given, trainConfig);
    if (options.printConfig) ui.print(configResult(options));
    else ui.print(await train(options, ui));
  });
};

async function train(given: TrainCommandOptions, ui: Ui): Promise<Result> {
  const { resume } = given;
  const out = outOf(given);
  if (!resume) await checkFree(out, given.overwrite);
  else if ((await runIn(out)) === 'finished') {
    throw new UsageError(`the run in ${out} is finished: there is nothing to resume`);
  }
  const options = resume ? { ...(await readSettings<TrainCommandOptions>(out, 'train')), ...given } : given;
  const { seed = 1, epochs = EPOCHS } = options;
  // before anything is loaded: the command line's own faults come first
  const { restart } = options;
  const prunings = restart ? [] : await phasesOf(options, seed, epochs);
  const pruning = restart ? await judgesOf(options, seed) : undefined;
  const data = await loadData(options, ui);
  const { inputShape, classes } = data.dataset;
  const { name, options: network } = chooseModel(options, inputShape);
  const { model, engine } = await startEngineFor(given, ui, () =>
    asUsage(() => buildModel(name, { ...network, inputShape, classes: classes.length, seed })),
  );
  compile(model, options);
  const what = `${name} on ${data.dataset.name}`;
  const run = { options, out, data, engine, seed, epochs };
  return restart
    ? restartRun({ ...run, pruning, title: `Smallest ${what}` }, model, ui)
    : trainRun({ ...run, prunings, title: `Training ${what}` }, model, ui);
}
