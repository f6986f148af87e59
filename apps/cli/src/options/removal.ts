import type { Command } from 'commander';
import { oneOf, points } from '../parse.ts';

/** How units and layers are removed. */
export interface RemovalOptions {
  readonly removal?: 'shrink' | 'mask';
  /** How many points of validation accuracy the removal of whole layers may cost. */
  readonly removeLayers?: number;
}

export const addRemovalOptions = (command: Command): Command =>
  command
    .optionsGroup('Pruning:')
    .option(
      '--removal <how>',
      'shrink (default: a smaller model) or mask (units are zeroed in place)',
      oneOf(['shrink', 'mask']),
    )
    .option(
      '--remove-layers <points>',
      'remove whole hidden layers while it costs at most so many points of validation accuracy',
      points,
    )
    .optionsGroup('Options:');
