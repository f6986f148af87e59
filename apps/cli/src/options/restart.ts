import type { Command } from 'commander';
import { z } from 'zod';
import { strict, valid } from '../config/strict.ts';
import { settings } from '../parse.ts';

/** How to look for the smallest network that does as well. */
export interface RestartSettings {
  readonly step?: number;
  readonly tolerance?: number;
  readonly seeds?: number;
  readonly least?: number;
}

const whole = z.int().positive().exactOptional();

/** They stand in a config file, too. */
export const restartSettings: z.ZodType<RestartSettings> = strict({
  step: whole.describe('units fewer to begin with; then steps halve, down to one (default: 1)'),
  tolerance: z
    .number()
    .min(0)
    .max(100)
    .exactOptional()
    .describe('points of validation accuracy that a network may fall behind (default: 0.5)'),
  seeds: whole.describe('trainings of each size, over which the mean is taken (default: 1)'),
  least: whole.describe('no network has fewer units, over all groups (default: 1)'),
});

export const addRestartOption = (command: Command): Command =>
  command
    .optionsGroup('Pruning:')
    .option(
      '--restart [settings]',
      'look for the smallest network that does as well, each time from a new initialisation; ' +
        'like step=8,tolerance=0.5,seeds=3,least=10',
      (text) => valid(restartSettings, settings(text)),
    )
    .optionsGroup('Options:');
