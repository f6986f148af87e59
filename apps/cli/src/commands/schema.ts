import type { Command } from 'commander';
import { z } from 'zod';
import { pruneConfig, trainConfig } from '../config/schema.ts';
import { addCommonOptions } from '../options/common.ts';
import { oneOf } from '../parse.ts';
import type { Ui } from '../ui.ts';

const schemas = { train: trainConfig, prune: pruneConfig } as const;

export const addSchema = (program: Command, ui: Ui): void => {
  const command = program
    .command('schema')
    .argument(
      '[command]',
      'train (default) or prune',
      oneOf(Object.keys(schemas) as (keyof typeof schemas)[]),
    )
    .description('Print the JSON Schema of config files, which editors complete and check them by.');
  addCommonOptions(command).action((name: keyof typeof schemas = 'train') => {
    const json = z.toJSONSchema(schemas[name], { io: 'input' });
    ui.print({ json, text: JSON.stringify(json, null, 2) });
  });
};
