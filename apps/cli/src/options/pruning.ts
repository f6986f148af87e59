import { type Budget, type Pruner, type Pruning, type Ranking, rankings } from '@espalier/core';
import type { Command } from 'commander';
import { type CompensationName, compensationNames, compensations } from '../catalog/compensations.ts';
import { prunerNames } from '../catalog/pruners.ts';
import { UsageError } from '../errors.ts';
import { counts, fractions, globs, left, number, oneOf, share, whole } from '../parse.ts';
import { hasBounds, makePruner, type PrunerSpec, parsePruner } from './pruners.ts';

/** Who judges, how far to go, and what survivors take over. */
export interface JudgingOptions {
  readonly pruner?: PrunerSpec | readonly PrunerSpec[];
  readonly fraction?: number | Readonly<Record<string, number>>;
  readonly count?: number | Readonly<Record<string, number>>;
  readonly params?: number;
  readonly macs?: number;
  readonly bytes?: number;
  readonly threshold?: number;
  readonly ranking?: Ranking;
  readonly scope?: readonly string[];
  readonly keep?: readonly string[];
  readonly roundTo?: number;
  readonly minUnits?: number;
  readonly compensation?: CompensationName;
  readonly wholeLayers?: boolean;
}

export interface PruningOptions extends JudgingOptions {
  readonly calibration?: number;
}

/** How far to go, as found by measuring smaller models. */
export interface MeasuredOptions {
  readonly latency?: number;
  readonly floor?: number;
}

/** What says how far to go by itself. */
export const budgetKeys = ['fraction', 'count', 'params', 'macs', 'bytes', 'threshold'] as const;
const measuredKeys = ['latency', 'floor'] as const;

/** Whether the options say which units go. */
export const wantsUnits = (options: JudgingOptions & MeasuredOptions): boolean =>
  (['pruner', ...budgetKeys, ...measuredKeys] as const).some((key) => options[key] !== undefined);

/** How many training rows units are judged on. */
export const CALIBRATION = 2000;

export const addPruningOptions = (command: Command): Command =>
  command
    .optionsGroup('Pruning:')
    .option(
      '--pruner <name>',
      `${prunerNames.join(', ')} (default: angle), or ./yours.js; with options: angle:lower=30,upper=150; ` +
        'several judge together, by rank',
      collect,
    )
    .option(
      '--fraction <share>',
      'how far: this share of the units of each group, or fc1=0.5,fc2=0.2',
      fractions,
    )
    .option('--count <n>', 'how far: so many units of each group, or fc1=10,fc2=5', counts)
    .option('--params <left>', 'how far: until at most these parameters are left: a share, or a number', left)
    .option('--macs <left>', 'how far: the same of multiply-adds', left)
    .option('--bytes <left>', 'how far: the same of the bytes of float32 weights', left)
    .option('--threshold <score>', 'how far: the units with a score below it', number)
    .option(
      '--ranking <how>',
      'local (default: each group by itself), global (one budget for all), or isomorphic (one for groups of like parts)',
      oneOf(rankings),
    )
    .option('--scope <groups>', 'ids, globs or kinds (neuron, channel, feature), like fc1,channel', globs)
    .option('--keep <layers>', "layers that stay as they are: names or globs, like 'stem,block1_*'", globs)
    .option('--round-to <n>', 'what stays of a group is a multiple of it (default: 1)', whole(1))
    .option('--min-units <n>', 'at least so many units of each group stay (default: 1)', whole(1))
    .option(
      '--compensation <name>',
      `${compensationNames.join(', ')} (default: add for pairs, least-squares for reconstruction, else none)`,
      oneOf(compensationNames),
    )
    .option('--whole-layers', 'layers may go of which every unit should')
    .option('--calibration <n>', `judge units on so many training rows (default: ${CALIBRATION})`, whole(1))
    .optionsGroup('Options:');

/** Of commands that prune at once. */
export const addLatencyOption = (command: Command): Command =>
  command
    .optionsGroup('Pruning:')
    .option(
      '--latency <share>',
      "how far: until a forward pass takes this share of the model's time here",
      share,
    )
    .optionsGroup('Options:');

const collect = (text: string, earlier: readonly PrunerSpec[] = []): readonly PrunerSpec[] => [
  ...earlier,
  parsePruner(text),
];

/** What the options mean, or why they can't be. Where sizes are measured, no budget is needed. */
export async function pruningOf(
  options: JudgingOptions & MeasuredOptions,
  seed: number,
  { measured = false }: { readonly measured?: boolean } = {},
): Promise<Pruning> {
  const { compensation, ranking, scope, keep, roundTo, minUnits, wholeLayers } = options;
  const specs = [options.pruner ?? 'angle'].flat();
  const pruner = await makePruner(specs, seed);
  const budget = measured ? checkMeasured(options) : budgetOf(options, pruner, specs);
  const filled = compensation && compensations[compensation]();
  if (filled?.partners && !hasPartners(pruner)) {
    throw new UsageError(
      `--compensation ${compensation} gives a removed unit's weights to its partner, but ${pruner.name} names no ` +
        `partners: use --pruner angle, or --compensation ${withoutPartners()}`,
    );
  }
  return {
    pruner,
    ...(budget && { budget }),
    ...(ranking && { ranking }),
    ...(scope && { scope }),
    ...(keep && { keep }),
    ...(roundTo !== undefined && { roundTo }),
    ...(minUnits !== undefined && { minUnits }),
    ...(filled && { compensation: filled }),
    ...(wholeLayers && { wholeLayers }),
  };
}

/** The compensations that any pruner goes with. */
function withoutPartners(): string {
  const names = compensationNames.filter((name) => !compensations[name]().partners);
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

const hasPartners = (pruner: Pruner): boolean =>
  'members' in pruner ? pruner.members.some(hasPartners) : 'compare' in pruner;

const isPairs = (pruner: Pruner): boolean =>
  'members' in pruner ? pruner.members.every(isPairs) : 'compare' in pruner;

function budgetOf(options: JudgingOptions, pruner: Pruner, specs: readonly PrunerSpec[]): Budget | undefined {
  const [key, other] = budgetKeys.filter((name) => options[name] !== undefined);
  if (other !== undefined) throw new UsageError(`give one of ${budgetFlags}, not several`);
  if (key === undefined && !(isPairs(pruner) && specs.every(hasBounds))) {
    const bounds = isPairs(pruner) ? ', or bounds: --pruner angle:lower=30,upper=150' : '';
    throw new UsageError(
      `say how far to prune: --fraction 0.5, --count 10, --params 0.5 or --threshold 1e-3${bounds}`,
    );
  }
  const { ranking = 'local' } = options;
  if (ranking !== 'local' && (key === undefined || key === 'threshold')) {
    throw new UsageError(`--ranking ${ranking} shares a budget out: give --fraction, --count or --params`);
  }
  return key && ({ [key]: options[key] } as unknown as Budget);
}

const flags = (keys: readonly string[]): string => keys.map((key) => `--${key}`).join(', ');
const budgetFlags = flags(budgetKeys);

/** @throws if a size that is measured is not all that is asked for. */
function checkMeasured(options: JudgingOptions & MeasuredOptions): undefined {
  const keys = [...budgetKeys, ...measuredKeys].filter((name) => options[name] !== undefined);
  if (keys.length > 1) throw new UsageError(`give one of ${flags(keys)}, not several`);
}
