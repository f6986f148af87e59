import type { Command } from 'commander';
import { z } from 'zod';
import { strict, valid } from '../config/strict.ts';
import { settings } from '../parse.ts';

/** How much the unpruned model teaches. */
export interface DistillationSettings {
  readonly temperature?: number;
  readonly weight?: number;
}

/** They stand in a config file, too. */
export const distillationSettings: z.ZodType<DistillationSettings> = strict({
  temperature: z.number().positive().exactOptional().describe('how soft what it says is (default: 2)'),
  weight: z
    .number()
    .min(0)
    .max(1)
    .exactOptional()
    .describe('how much it counts; the classes count the rest (default: 0.5)'),
});

/** What the record says of it. */
export const teacherOf = (given: DistillationSettings | true): string =>
  ['the unpruned model', ...Object.entries(given).map((setting) => setting.join(' '))].join(', ');

export const addDistillationOption = (command: Command): Command =>
  command
    .optionsGroup('Training:')
    .option(
      '--distill [settings]',
      'fine-tune with the unpruned model as a teacher; like temperature=2,weight=0.5',
      (text) => valid(distillationSettings, settings(text)),
    )
    .optionsGroup('Options:');
