import { everyEpochs, oneShot, type Pruning, polynomial, type Schedule, whileAccuracy } from '@espalier/core';
import type { TrainPruning } from '@espalier/trainer';
import { type Command, InvalidArgumentError } from 'commander';
import { phases } from '../config/schema.ts';
import { valid } from '../config/strict.ts';
import { asUsage, UsageError } from '../errors.ts';
import { accuracy, number, whole } from '../parse.ts';
import { budgetKeys, type JudgingOptions, type PruningOptions, pruningOf, wantsUnits } from './pruning.ts';
import type { RemovalOptions } from './removal.ts';

/** When to prune in a training. */
export interface ScheduleOptions {
  readonly every?: number;
  readonly from?: number;
  readonly until?: number;
  readonly after?: number;
  readonly power?: number;
  readonly floor?: number;
}

/** A pruner's part of a training. */
export interface PhaseOptions extends JudgingOptions, ScheduleOptions {}

/** What a training may be told of its pruning. */
export interface TrainPruningOptions extends PruningOptions, ScheduleOptions, RemovalOptions {
  readonly phases?: readonly PhaseOptions[];
}

export const addScheduleOptions = (command: Command): Command =>
  command
    .optionsGroup('When to prune:')
    .option('--every <epochs>', 'after every so many epochs (default: 1)', whole(1))
    .option('--from <share>', 'not in this first part of the epochs (default: 0)', number)
    .option('--until <share>', 'only in this first part of the epochs (default: 0.7)', number)
    .option('--power <p>', 'much at first, little at the end: by 1 - (1 - k/n)^p; 3 is usual', number)
    .option('--after <share>', 'once, after this part of the epochs', number)
    .option('--floor <accuracy>', 'only while validation accuracy is at least this, like 0.9', accuracy)
    .optionsGroup('Options:');

export const addPhasesOption = (command: Command): Command =>
  command
    .optionsGroup('When to prune:')
    .option(
      '--phases <json>',
      'several pruners, each with a budget and a schedule of its own: [{"pruner": ...}, ...]',
      parsePhases,
    )
    .optionsGroup('Options:');

const parsePhases = (text: string): readonly PhaseOptions[] => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`Not valid JSON (${(error as Error).message})`);
  }
  return valid(phases, value);
};

const asked = <Key extends string>(
  options: { readonly [K in Key]?: unknown },
  keys: readonly Key[],
): Key | undefined => keys.find((key) => options[key] !== undefined);

const stepKeys = ['every', 'from', 'until', 'after', 'power'] as const;
const scheduleKeys = [...stepKeys, 'floor'] as const;

/** Whether the options say when to prune, and not only how far. */
export const saysWhen = (options: ScheduleOptions): boolean => asked(options, stepKeys) !== undefined;

const phaseKeys = [
  ...budgetKeys,
  ...(['pruner', 'ranking', 'scope', 'roundTo', 'minUnits', 'compensation', 'wholeLayers'] as const),
  ...scheduleKeys,
];

/** What is of use to the removal of whole layers, too. */
const sharedKeys = ['keep', 'calibration'] as const;

const flagOf = (key: string): string => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** The prunings of a training of so many epochs; none if the options don't speak of pruning. */
export async function phasesOf(
  options: TrainPruningOptions,
  seed: number,
  epochs: number,
): Promise<TrainPruning[]> {
  const one = asked(options, [...phaseKeys, 'keep']);
  if (options.phases && one)
    throw new UsageError(`${flagOf(one)} belongs into the phases: leave it out beside --phases`);
  const keys = options.removeLayers === undefined ? [...phaseKeys, ...sharedKeys] : phaseKeys;
  const all = options.phases ?? (asked(options, keys) ? [options] : []);
  const prunings: TrainPruning[] = [];
  for (const [i, phase] of all.entries()) {
    try {
      prunings.push({ ...(await pruningOf(phase, seed)), schedule: scheduleOf(phase, epochs) });
    } catch (error) {
      if (!options.phases) throw error;
      throw new UsageError(`phases[${i}]: ${(error as Error).message}`, { cause: error });
    }
  }
  return prunings;
}

/** Who says, in a search for the smallest network, which groups have units to spare; nobody if nobody is asked. */
export async function judgesOf(options: TrainPruningOptions, seed: number): Promise<Pruning | undefined> {
  const stranger = asked(options, [
    ...scheduleKeys,
    ...(['phases', 'removal', 'removeLayers', 'compensation', 'wholeLayers'] as const),
    ...(['roundTo', 'minUnits'] as const),
  ]);
  if (stranger)
    throw new UsageError(`--restart removes nothing while it trains: leave out ${flagOf(stranger)}`);
  if (options.ranking !== undefined && !wantsUnits(options))
    throw new UsageError(
      '--ranking is of a pruner that is asked: name one with --pruner, and --fraction or --count',
    );
  return wantsUnits(options) ? pruningOf(options, seed) : undefined;
}

/** When the options mean to prune in so many epochs. */
export function scheduleOf(options: ScheduleOptions, epochs: number): Schedule {
  const { after, power, floor } = options;
  // pruning after the last epoch would leave nothing to recover in
  const until = options.until ?? (epochs > 1 ? 0.7 : 1);
  const steps = { every: options.every ?? 1, from: options.from ?? 0, until };
  return asUsage(() => {
    if (after !== undefined) checkOnce(options);
    const schedule =
      after !== undefined
        ? oneShot({ after })
        : power !== undefined
          ? polynomial({ ...steps, power })
          : everyEpochs(steps);
    return floor === undefined ? schedule : whileAccuracy({ floor, schedule });
  });
}

function checkOnce(options: ScheduleOptions): void {
  const other = (['every', 'from', 'until', 'power'] as const).find((key) => options[key] !== undefined);
  if (other) throw new UsageError(`--after prunes once: leave out --${other}`);
}
