import { type Quantization, quantizations } from '@espalier/engine';
import type { Command } from 'commander';
import { oneOf, whole } from '../parse.ts';

/** How the model is written. */
export interface ExportOptions {
  readonly quantize?: Quantization;
  readonly shardBytes?: number;
}

export const addExportOptions = (command: Command): Command =>
  command
    .optionsGroup('Export:')
    .option(
      '--quantize <type>',
      `store weights in ${quantizations.join(', ')} (default: float32, as they are)`,
      oneOf(quantizations),
    )
    .option(
      '--shard-bytes <n>',
      'split the weights into files of at most so many bytes, like 4194304',
      whole(1),
    )
    .optionsGroup('Options:');

/** The same for `saveModel`. */
export const exportArgs = ({ quantize, shardBytes }: ExportOptions): ExportOptions => ({
  ...(quantize && { quantize }),
  ...(shardBytes !== undefined && { shardBytes }),
});
