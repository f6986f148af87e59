import { byRank, type Pruner } from '@espalier/core';
import { z } from 'zod';
import { foreignPruner } from '../catalog/foreign-pruner.ts';
import { type PrunerName, prunerNames, pruners } from '../catalog/pruners.ts';
import { strict, valid } from '../config/strict.ts';
import { asUsage } from '../errors.ts';
import { settings } from '../parse.ts';

/** A pruner's name, with its own options, and how much its rank counts beside that of others. */
export interface PrunerSettings {
  readonly name: string;
  readonly weight?: number | undefined;
  readonly [option: string]: unknown;
}

export type PrunerSpec = string | PrunerSettings;

const weight = z
  .number()
  .positive()
  .exactOptional()
  .describe('how much its rank counts beside that of others (default: 1)');

const isKnown = (name: string): name is PrunerName => (prunerNames as readonly string[]).includes(name);

/** A pruner in a config file. */
export const prunerSpec: z.ZodType<PrunerSpec> = z.union(
  [
    z.string().min(1),
    ...prunerNames.map((name) => strict({ name: z.literal(name), weight, ...pruners[name].options })),
    z.looseObject({
      name: z
        .string()
        .min(1)
        .refine((name) => !isKnown(name), { abort: true }),
      weight,
    }),
  ],
  { error: 'Give the name of a pruner, or { "name": ..., and its options }' },
);

/** `angle`, `angle:lower=30,upper=150`, `./mine.js:depth=3`. */
export function parsePruner(text: string): PrunerSpec {
  const [, name = '', options] = /^(.*?)(?::(\w+=.*))?$/s.exec(text) ?? [];
  return valid(prunerSpec, options === undefined ? name : { ...settings(options), name });
}

const settingsOf = (spec: PrunerSpec): PrunerSettings => (typeof spec === 'string' ? { name: spec } : spec);

/** The pruner that one or several specs mean; several judge together, by rank. */
export async function makePruner(specs: readonly PrunerSpec[], seed: number): Promise<Pruner> {
  const all = specs.map(settingsOf);
  const made: Pruner[] = [];
  for (const one of all) made.push(await makeOne(one, seed));
  if (made.length === 1) return made[0]!;
  return asUsage(() => byRank({ pruners: made, weights: all.map((one) => one.weight ?? 1) }));
}

async function makeOne({ name, weight: _, ...options }: PrunerSettings, seed: number): Promise<Pruner> {
  return isKnown(name) ? asUsage(() => pruners[name].make(options, seed)) : foreignPruner(name, options);
}

/** Whether a pruner was told how far to go by its own options, or knows by itself. */
export const hasBounds = (spec: PrunerSpec): boolean => {
  const { name, weight: _, ...options } = settingsOf(spec);
  return !isKnown(name) || Object.keys(options).length > 0;
};
