import type { Command } from 'commander';
import { addEngineOptions } from '../options/common.ts';
import { addDataOptions } from '../options/data.ts';
import { addPruningOptions } from '../options/pruning.ts';
import { addTrainingOptions } from '../options/training.ts';
import { place } from '../parse.ts';
import { type PruneCommandOptions, pruneRun } from '../prune-run.ts';
import type { Ui } from '../ui.ts';

export const addPrune = (program: Command, ui: Ui): void => {
  const command = program
    .command('prune <model>')
    .description('Plan, make the smaller model, fine-tune it, and measure what came of it on test data.');
  addPruningOptions(command);
  addTrainingOptions(command, { epochs: 1, least: 0 });
  addDataOptions(command)
    .requiredOption('--out <dir>', 'where model/, plan.json, record.jsonl and report.html go', place)
    .option('--overwrite', 'replace a run that is in --out')
    .option('--no-sweep', 'leave out the curve of accuracy against units removed')
    .option('--no-report', 'write no report.html');
  addEngineOptions(command).action(async (path: string, options: PruneCommandOptions) => {
    ui.print(await pruneRun(path, options, ui));
  });
};
