import type { Budget, Pruner, Pruning } from '@espalier/core';
import type { Command } from 'commander';
import { type CompensationName, compensationNames, compensations } from '../catalog/compensations.ts';
import { type PrunerName, type PrunerOptions, prunerNames, pruners } from '../catalog/pruners.ts';
import { asUsage, UsageError } from '../errors.ts';
import { counts, fraction, list, number, oneOf, whole } from '../parse.ts';

export interface PruningOptions extends PrunerOptions {
  readonly pruner?: PrunerName;
  readonly fraction?: number;
  readonly count?: number | Readonly<Record<string, number>>;
  readonly threshold?: number;
  readonly scope?: readonly string[];
  readonly compensation?: CompensationName;
  readonly calibration?: number;
}

const pruningKeys: readonly (keyof PruningOptions)[] = [
  ...(['pruner', 'fraction', 'count', 'threshold', 'scope', 'compensation', 'calibration'] as const),
  ...(['lower', 'upper', 'complementary'] as const),
];

/** How many training rows units are judged on. */
export const CALIBRATION = 2000;

export const addPruningOptions = (command: Command): Command =>
  command
    .optionsGroup('Pruning:')
    .option('--pruner <name>', `${prunerNames.join(', ')} (default: angle)`, oneOf(prunerNames))
    .option('--fraction <share>', 'how far: this share of the units of each group', fraction)
    .option('--count <n>', 'how far: so many units of each group, or fc1=10,fc2=5', counts)
    .option('--threshold <score>', 'how far: the units with a score below it', number)
    .option('--lower <degrees>', 'angle: pairs at a smaller angle are similar', number)
    .option('--upper <degrees>', 'angle: pairs at a larger angle are complementary', number)
    .option('--complementary <how>', 'angle: add (default) or remove both', oneOf(['add', 'remove']))
    .option('--scope <groups>', 'ids or kinds (neuron, channel, feature), like fc1,channel', list)
    .option(
      '--compensation <name>',
      `${compensationNames.join(', ')} (default: add for pairs, else none)`,
      oneOf(compensationNames),
    )
    .option('--calibration <n>', `judge units on so many training rows (default: ${CALIBRATION})`, whole(1))
    .optionsGroup('Options:');

/** Whether the command line speaks of pruning at all. */
export const wantsPruning = (options: PruningOptions): boolean =>
  pruningKeys.some((key) => options[key] !== undefined);

/** What the options mean, or why they can't be. */
export function pruningOf(options: PruningOptions, seed: number): Pruning {
  const { compensation, scope } = options;
  const pruner = prunerOf(options, seed);
  const budget = budgetOf(options, pruner);
  const filled = compensation && compensations[compensation]();
  if (filled?.partners && !('compare' in pruner)) {
    throw new UsageError(
      `--compensation ${compensation} gives a removed unit's weights to its partner, but ${pruner.name} names no ` +
        'partners: use --pruner angle, or --compensation none or mean',
    );
  }
  return {
    pruner,
    ...(budget && { budget }),
    ...(scope && { scope }),
    ...(filled && { compensation: filled }),
  };
}

function prunerOf(options: PruningOptions, seed: number): Pruner {
  const name = options.pruner ?? 'angle';
  const { options: takes, make } = pruners[name];
  const given: PrunerOptions = {
    ...(options.lower !== undefined && { lower: options.lower }),
    ...(options.upper !== undefined && { upper: options.upper }),
    ...(options.complementary !== undefined && { complementary: options.complementary }),
  };
  const stranger = (Object.keys(given) as (keyof PrunerOptions)[]).find((key) => !takes.includes(key));
  if (stranger !== undefined) throw new UsageError(`the pruner ${name} takes no --${stranger}`);
  return asUsage(() => make(given, seed));
}

function budgetOf(options: PruningOptions, pruner: Pruner): Budget | undefined {
  const { fraction: share, count, threshold, lower, upper } = options;
  const budgets: Budget[] = [
    ...(share === undefined ? [] : [{ fraction: share }]),
    ...(count === undefined ? [] : [{ count }]),
    ...(threshold === undefined ? [] : [{ threshold }]),
  ];
  if (budgets.length > 1)
    throw new UsageError('give one of --fraction, --count and --threshold, not several');
  const bounded = 'compare' in pruner && (lower !== undefined || upper !== undefined);
  if (budgets.length === 0 && !bounded) {
    const bounds = 'compare' in pruner ? ', or bounds: --lower 30 --upper 150' : '';
    throw new UsageError(`say how far to prune: --fraction 0.5, --count 10 or --threshold 1e-3${bounds}`);
  }
  return budgets[0];
}
