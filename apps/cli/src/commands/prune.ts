import type { Command } from 'commander';
import { addConfigOptions, configResult, withConfig } from '../config/file.ts';
import { pruneConfig } from '../config/schema.ts';
import { addEngineOptions } from '../options/common.ts';
import { addDataOptions } from '../options/data.ts';
import { addDistillationOption } from '../options/distillation.ts';
import { addExportOptions } from '../options/export.ts';
import { addNoiseOption, addTrainNoiseOption } from '../options/noise.ts';
import { addScheduleOptions } from '../options/phases.ts';
import { addLatencyOption, addPruningOptions } from '../options/pruning.ts';
import { addRemovalOptions } from '../options/removal.ts';
import { addResumeOption, checkResume } from '../options/resume.ts';
import { addTrainingOptions } from '../options/training.ts';
import { addWeightsOption } from '../options/weights.ts';
import { place } from '../parse.ts';
import { type PruneCommandOptions, pruneRun } from '../prune-run.ts';
import type { Ui } from '../ui.ts';

export const addPrune = (program: Command, ui: Ui): void => {
  const command = program
    .command('prune [model]')
    .description(
      'Plan, make the smaller model, fine-tune it, and measure what came of it on test data; at once, or step by step.',
    );
  addPruningOptions(command);
  addLatencyOption(command);
  addRemovalOptions(command);
  addWeightsOption(command);
  addScheduleOptions(command);
  addTrainingOptions(command, { epochs: 1, least: 0 });
  addDistillationOption(command);
  addTrainNoiseOption(addNoiseOption(command));
  addExportOptions(command);
  addDataOptions(command);
  addResumeOption(command)
    .option('--out <dir>', 'where model/, plan.json or plans/, record.jsonl and report.html go', place)
    .option('--overwrite', 'replace a run that is in --out')
    .option('--no-sweep', 'leave out the curve of accuracy against units removed')
    .option('--no-report', 'write no report.html');
  addConfigOptions(command);
  addEngineOptions(command).action(async (path: string | undefined, given: PruneCommandOptions) => {
    if (given.resume) checkResume(command);
    const options = await withConfig(command, given, pruneConfig);
    ui.print(options.printConfig ? configResult(options) : await pruneRun(path, options, ui));
  });
};
