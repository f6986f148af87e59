import { buildModel } from '@espalier/models';
import type { Command } from 'commander';
import { loadData } from '../data.ts';
import { startEngine } from '../engine.ts';
import { asUsage, UsageError } from '../errors.ts';
import { compile } from '../model-file.ts';
import { addEngineOptions } from '../options/common.ts';
import { addDataOptions } from '../options/data.ts';
import { addModelOptions, chooseModel } from '../options/model.ts';
import { addPruningOptions, pruningOf, wantsPruning } from '../options/pruning.ts';
import { addTrainingOptions } from '../options/training.ts';
import { number, place, whole } from '../parse.ts';
import { checkFree, readSettings, runIn } from '../run-settings.ts';
import { type TrainCommandOptions, trainRun } from '../train-run.ts';
import type { Result, Ui } from '../ui.ts';

const EPOCHS = 5;

/** What may be said anew when a run goes on. */
const forResume = ['out', 'resume', 'engine', 'report', 'offline', 'json', 'debug'];

export const addTrain = (program: Command, ui: Ui): void => {
  const command = program
    .command('train')
    .description('Train a network, and prune it on the way if told to.');
  addModelOptions(command);
  addDataOptions(command);
  addTrainingOptions(command, { epochs: EPOCHS, least: 1 });
  addPruningOptions(command)
    .optionsGroup('Pruning:')
    .option('--every <epochs>', 'prune after every so many epochs (default: 1)', whole(1))
    .option('--until <share>', 'prune in this first part of the epochs (default: 0.7)', number)
    .optionsGroup('Options:')
    .requiredOption('--out <dir>', 'where model/, plans/, record.jsonl and report.html go', place)
    .option('--resume', 'go on with an interrupted run in --out, with its own options')
    .option('--overwrite', 'replace a run that is in --out')
    .option('--no-report', 'write no report.html');
  addEngineOptions(command).action(async (options: TrainCommandOptions) => {
    if (options.resume) checkResume(command);
    ui.print(await train(options, ui));
  });
};

function checkResume(command: Command): void {
  const stranger = command.options.find((option) => {
    const name = option.attributeName();
    return command.getOptionValueSource(name) === 'cli' && !forResume.includes(name);
  });
  if (stranger)
    throw new UsageError(`--resume goes on with the run's own options: leave out ${stranger.long}`);
}

async function train(given: TrainCommandOptions, ui: Ui): Promise<Result> {
  const { out, resume } = given;
  if (!resume) await checkFree(out, given.overwrite);
  else if ((await runIn(out)) === 'finished') {
    throw new UsageError(`the run in ${out} is finished: there is nothing to resume`);
  }
  const options = resume ? { ...(await readSettings<TrainCommandOptions>(out)), ...given } : given;
  const { seed = 1, epochs = EPOCHS } = options;
  const pruning = wantsPruning(options) ? pruningOf(options, seed) : undefined;
  if (!pruning && (options.every !== undefined || options.until !== undefined)) {
    throw new UsageError(
      '--every and --until say when to prune: say how far, too, for example --fraction 0.5',
    );
  }
  const engine = await startEngine(given, ui);
  const data = await loadData(options, ui);
  const { inputShape, classes } = data.dataset;
  const { name, options: network } = chooseModel(options, inputShape);
  const model = asUsage(() => buildModel(name, { ...network, inputShape, classes: classes.length, seed }));
  compile(model, options);
  return trainRun(
    { options, data, engine, seed, epochs, pruning, title: `${name} on ${data.dataset.name}` },
    model,
    ui,
  );
}
