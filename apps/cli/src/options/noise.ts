import { checkNoise, type Levels, type Noise, type NoiseKind, noiseKinds, noisesOf } from '@espalier/noise';
import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { optional, strict } from '../config/strict.ts';
import { number, suggest } from '../parse.ts';

/** Noise on the inputs: measured, or trained with. */
export interface NoiseOptions {
  readonly noise?: Levels;
}

export interface TrainNoiseOptions {
  readonly trainNoise?: Levels;
}

/** In a config file: `{ "gaussian": [0.1, 0.2] }`. */
export const noiseLevels: z.ZodType<Levels> = strict(
  optional(
    Object.fromEntries(noiseKinds.map((kind) => [kind, z.array(levelOf(kind)).min(1)])) as Record<
      NoiseKind,
      z.ZodArray<z.ZodNumber>
    >,
  ),
);

function levelOf(kind: NoiseKind): z.ZodNumber {
  return z.number().superRefine((level, context) => {
    const message = faultOf(kind, level);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

/** Why there is no noise of such a level. */
function faultOf(kind: NoiseKind, level: number): string | undefined {
  try {
    checkNoise({ kind, level });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** `gaussian:0.1,0.2`, added to what was given before. */
export function noiseArgument(text: string, earlier: Levels = {}): Levels {
  const at = text.indexOf(':');
  const name = at < 0 ? text : text.slice(0, at);
  const kind = noiseKinds.find((candidate) => candidate === name);
  if (kind === undefined) throw new InvalidArgumentError(suggest(name, noiseKinds));
  if (at < 0) throw new InvalidArgumentError(`Give its levels, too, like ${kind}:${EXAMPLES[kind]}`);
  const levels = text
    .slice(at + 1)
    .split(',')
    .map(number);
  for (const level of levels) {
    const fault = faultOf(kind, level);
    if (fault !== undefined) throw new InvalidArgumentError(fault);
  }
  return { ...earlier, [kind]: [...(earlier[kind] ?? []), ...levels] };
}

const EXAMPLES: Readonly<Record<NoiseKind, string>> = {
  gaussian: '0.1,0.2',
  saltpepper: '0.05,0.1',
  occlusion: '6,9',
  shift: '1,2',
};

const forms = noiseKinds.map((kind) => `${kind}:${EXAMPLES[kind]}`).join(', ');

export const addNoiseOption = (command: Command): Command =>
  command.option(
    '--noise <kind:levels>',
    `measure accuracy with noise on the inputs, too: ${forms}; may be given several times`,
    noiseArgument,
  );

export const addTrainNoiseOption = (command: Command): Command =>
  command.option(
    '--train-noise <kind:levels>',
    'train with noise: each training row has one of these, drawn anew in each epoch; may be given several times',
    noiseArgument,
  );

/** What the trainer takes. */
export const trainedWith = ({ trainNoise = {} }: TrainNoiseOptions): Noise[] => noisesOf(trainNoise);

/** What the record says of it. */
export const noiseRecord = (options: TrainNoiseOptions): { noise?: Noise[] } =>
  options.trainNoise ? { noise: trainedWith(options) } : {};

/** @throws if a noise can't happen to rows of a shape. */
export function checkNoiseFits(
  { noise = {}, trainNoise = {} }: NoiseOptions & TrainNoiseOptions,
  inputShape: readonly number[],
): void {
  for (const one of [...noisesOf(noise), ...noisesOf(trainNoise)]) checkNoise(one, inputShape);
}
