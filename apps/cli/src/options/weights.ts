import type { CalibrationData, WeightPruning } from '@espalier/core';
import type { Command } from 'commander';
import { z } from 'zod';
import { type WeightPrunerName, weightPrunerNames, weightPruners } from '../catalog/weight-pruners.ts';
import { choice, strict, valid } from '../config/strict.ts';
import { asUsage } from '../errors.ts';
import { settings } from '../parse.ts';

/** A pruner of single weights, with its options. */
export type WeightsSpec = { readonly name: WeightPrunerName } & Readonly<Record<string, unknown>>;

/** Which single weights go. */
export interface WeightsOptions {
  readonly weights?: WeightsSpec;
}

/** It stands in a config file, too. */
export const weightsSpec: z.ZodType<WeightsSpec> = z
  .looseObject({ name: choice(weightPrunerNames) })
  .pipe(
    z.union(
      weightPrunerNames.map((name) => strict({ name: z.literal(name), ...weightPruners[name].options })),
    ),
  ) as z.ZodType<WeightsSpec>;

export const addWeightsOption = (command: Command): Command =>
  command
    .optionsGroup('Pruning:')
    .option(
      '--weights <pruner>',
      `zero single weights, which makes the file smaller once compressed: ${weightPrunerNames.join(', ')}; with options: ` +
        'nettrim:epsilon=0.1, magnitude:fraction=0.9',
      parseWeights,
    )
    .optionsGroup('Options:');

/** `nettrim`, `magnitude:fraction=0.9,ranking=global`. */
function parseWeights(text: string): WeightsSpec {
  const [, name = '', options] = /^(.*?)(?::(\w+=.*))?$/s.exec(text) ?? [];
  return valid(weightsSpec, { ...(options !== undefined && settings(options)), name });
}

/** What the option means; solvers go by these rows. */
export const weightPruningOf = ({ name, ...options }: WeightsSpec, data: CalibrationData): WeightPruning =>
  asUsage(() => weightPruners[name].make(options, data));
