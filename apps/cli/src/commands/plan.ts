import type { Command } from 'commander';
import { loadData } from '../data.ts';
import { startEngine } from '../engine.ts';
import { checkFile, writeJson } from '../files.ts';
import { checkFit, compile, openModel } from '../model-file.ts';
import { addEngineOptions, type EngineOptions } from '../options/common.ts';
import { addDataOptions, type DataOptions } from '../options/data.ts';
import {
  addLatencyOption,
  addPruningOptions,
  type MeasuredOptions,
  type PruningOptions,
} from '../options/pruning.ts';
import { accuracy, place, whole } from '../parse.ts';
import { makePlan, planJson, planText, pruningNow } from '../plan-file.ts';
import type { Result, Ui } from '../ui.ts';

interface PlanCommandOptions extends EngineOptions, DataOptions, PruningOptions, MeasuredOptions {
  readonly out?: string;
  readonly seed?: number;
  readonly overwrite?: boolean;
}

export const addPlan = (program: Command, ui: Ui): void => {
  const command = program
    .command('plan <model>')
    .description('Judge units and say which should go and what that saves. The model is not changed.');
  addPruningOptions(command);
  addLatencyOption(command)
    .optionsGroup('Pruning:')
    .option('--floor <accuracy>', 'how far: while validation accuracy is at least this, like 0.9', accuracy);
  addDataOptions(command)
    .option('--out <file>', 'where the plan goes, as JSON (default: it is only shown)', place)
    .option('--overwrite', 'replace a file that is in --out')
    .option('--seed <n>', 'of random scores (default: that of the model, else 1)', whole(0));
  addEngineOptions(command).action(async (path: string, options: PlanCommandOptions) => {
    ui.print(await makeAndWrite(path, options, ui));
  });
};

async function makeAndWrite(given: string, options: PlanCommandOptions, ui: Ui): Promise<Result> {
  const { out } = options;
  if (out !== undefined) await checkFile(out, options.overwrite);
  // before the model is read: the command line's own faults come first
  await pruningNow(options, 1);
  await startEngine(options, ui);
  const { model, path, data, seed = 1 } = await openModel(given);
  const { dataset } = await loadData(options, ui, data);
  checkFit(model, dataset);
  compile(model);
  const pruning = await pruningNow(options, options.seed ?? seed);
  const made = await makePlan(model, dataset, pruning, options);
  if (out !== undefined) await writeJson(out, made);
  return {
    json: { command: 'plan', model: path, ...(out !== undefined && { out }), ...planJson(made), plan: made },
    text: `${planText(made, ui)}\n${out === undefined ? 'Not written: say where with --out plan.json' : `Plan: ${out}`}`,
  };
}
