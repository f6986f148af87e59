import { mask, shrink } from '@espalier/core';
import { removeWeights, saveModel } from '@espalier/engine';
import { formatBytes } from '@espalier/report';
import type { Command } from 'commander';
import { startEngine } from '../engine.ts';
import { UsageError } from '../errors.ts';
import { checkFolder, exists, writeFolder } from '../files.ts';
import { modelMetadata, openModel } from '../model-file.ts';
import { addEngineOptions, type EngineOptions } from '../options/common.ts';
import { addExportOptions, type ExportOptions, exportArgs } from '../options/export.ts';
import { place } from '../parse.ts';
import { planJson, planText, readPlan } from '../plan-file.ts';
import type { Result, Ui } from '../ui.ts';

interface ApplyOptions extends EngineOptions, ExportOptions {
  readonly out: string;
  readonly mask?: boolean;
  readonly overwrite?: boolean;
}

export const addApply = (program: Command, ui: Ui): void => {
  const command = program
    .command('apply <model> <plan>')
    .description('Carry out a plan: make the smaller model.')
    .requiredOption('--out <dir>', 'where model.json and its weights go', place)
    .option('--mask', 'zero the units in place instead, which keeps the shapes')
    .option('--overwrite', 'replace a model that is in --out');
  addEngineOptions(addExportOptions(command)).action(
    async (model: string, plan: string, options: ApplyOptions) => {
      ui.print(await apply(model, plan, options, ui));
    },
  );
};

async function apply(given: string, planPath: string, options: ApplyOptions, ui: Ui): Promise<Result> {
  const { out } = options;
  await checkFolder(out);
  if (!options.overwrite && (await exists(`${out}/model.json`))) {
    throw new UsageError(`${out} holds a model: choose another --out, or replace it with --overwrite`);
  }
  await startEngine(options, ui);
  const plan = await readPlan(planPath);
  const { model, path, data, seed = 1 } = await openModel(given);
  const carryOut = options.mask ? mask : shrink;
  const pruned = await carryOut(model, plan);
  const kept = data ? modelMetadata(data, seed) : {};
  const metadata = { ...model.getUserDefinedMetadata(), ...kept };
  const { bytes, gzipped } = await writeFolder(
    out,
    (temporary) => saveModel(pruned, temporary, { metadata, ...exportArgs(options) }),
    async () => {
      if (await exists(out)) await removeWeights(out);
    },
  );
  const how = options.mask ? 'mask' : 'shrink';
  return {
    json: { command: 'apply', model: path, out, how, disk: { bytes, gzipped }, ...planJson(plan) },
    text: `${planText(plan, ui)}\n${options.mask ? 'Masked' : 'Smaller'} model: ${out} (${formatBytes(bytes)}, ${formatBytes(gzipped)} gzipped)`,
  };
}
