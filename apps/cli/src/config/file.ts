import type { Command } from 'commander';
import type { z } from 'zod';
import { UsageError } from '../errors.ts';
import { readJson } from '../files.ts';
import { place } from '../parse.ts';
import type { Result } from '../ui.ts';
import { explain } from './strict.ts';

/** What a command takes that has a config file. */
export interface ConfigOptions {
  readonly config?: string;
  readonly printConfig?: boolean;
}

export const addConfigOptions = (command: Command): Command =>
  command
    .option('--config <file>', 'take options from a JSON file; those of the command line win', place)
    .option('--print-config', 'print all options as a config file, and do nothing');

/** What says the same thing in different ways: who says one of them on the command line means none of the others. */
const alternatives: readonly (readonly (readonly string[])[])[] = [
  [['fraction'], ['count'], ['params'], ['macs'], ['bytes'], ['threshold'], ['latency']],
  [['after'], ['every', 'from', 'until', 'power']],
];

/** What is asked of one run alone, and stands in no file. */
const once = ['config', 'printConfig', 'resume', 'overwrite', 'json', 'debug'];

/**
 * The options of the command line over those of its config file.
 *
 * @throws UsageError if the file can't be read or says what can't be; the message names the place in the file.
 */
export async function withConfig<Options extends ConfigOptions>(
  command: Command,
  given: Options,
  schema: z.ZodType<Partial<Options>>,
): Promise<Options> {
  if (given.config === undefined) return given;
  const file: Record<string, unknown> = await readConfig(given.config, schema);
  const isSaid = (key: string): boolean => command.getOptionValueSource(key) === 'cli';
  const isBeaten = (key: string): boolean =>
    alternatives.some(
      (ways) =>
        ways.some((keys) => keys.includes(key)) &&
        ways.some((keys) => !keys.includes(key) && keys.some(isSaid)),
    );
  const kept = Object.entries(file).filter(([key]) => !isSaid(key) && !isBeaten(key));
  return { ...given, ...Object.fromEntries(kept) };
}

async function readConfig<T>(path: string, schema: z.ZodType<T>): Promise<T & object> {
  const value = await readJson(path, 'config file');
  const { data, error } = schema.safeParse(value);
  if (error) throw new UsageError(`${path}: ${explain(error)}`);
  const { $schema: _, ...config } = data as T & { readonly $schema?: string };
  return config as T & object;
}

/** Where a run goes. */
export function outOf({ out }: { readonly out?: string }): string {
  if (out === undefined) throw new UsageError('say where the results go: --out <dir>');
  return out;
}

/** What `--print-config` prints. */
export const configResult = (options: ConfigOptions): Result => {
  const config = configOf(options);
  return { json: config, text: JSON.stringify(config, null, 2) };
};

/** The options as a config file. */
export const configOf = (options: ConfigOptions): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(options)
      .filter(([key]) => !once.includes(key))
      .sort(([a], [b]) => a.localeCompare(b)),
  );
