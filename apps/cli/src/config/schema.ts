import { rankings } from '@espalier/core';
import { quantizations } from '@espalier/engine';
import { activations } from '@espalier/models';
import { z } from 'zod';
import { compensationNames } from '../catalog/compensations.ts';
import { optimizerNames } from '../catalog/optimizers.ts';
import type { EngineOptions } from '../options/common.ts';
import { type DataOptions, dataset } from '../options/data.ts';
import { type DistillationSettings, distillationSettings } from '../options/distillation.ts';
import type { ExportOptions } from '../options/export.ts';
import { type ModelOptions, modelNames } from '../options/model.ts';
import { type NoiseOptions, noiseLevels, type TrainNoiseOptions } from '../options/noise.ts';
import type { PhaseOptions, ScheduleOptions, TrainPruningOptions } from '../options/phases.ts';
import { prunerSpec } from '../options/pruners.ts';
import type { MeasuredOptions, PruningOptions } from '../options/pruning.ts';
import type { RemovalOptions } from '../options/removal.ts';
import { type RestartSettings, restartSettings } from '../options/restart.ts';
import type { TrainingOptions } from '../options/training.ts';
import { type WeightsOptions, weightsSpec } from '../options/weights.ts';
import { choice, optional, strict } from './strict.ts';

/** What a config file for `train` may say: options of the command line by their names, in camel case. */
export interface TrainConfig
  extends Pick<EngineOptions, 'engine'>,
    DataOptions,
    ExportOptions,
    ModelOptions,
    NoiseOptions,
    TrainNoiseOptions,
    TrainingOptions,
    TrainPruningOptions {
  readonly out?: string;
  readonly restart?: true | RestartSettings;
  readonly report?: boolean;
}

/** What a config file for `prune` may say. */
export interface PruneConfig
  extends Pick<EngineOptions, 'engine'>,
    DataOptions,
    ExportOptions,
    NoiseOptions,
    TrainNoiseOptions,
    TrainingOptions,
    PruningOptions,
    MeasuredOptions,
    ScheduleOptions,
    RemovalOptions,
    WeightsOptions {
  readonly out?: string;
  readonly distill?: true | DistillationSettings;
  readonly sweep?: boolean;
  readonly report?: boolean;
}

const whole = (least: number): z.ZodInt => z.int().min(least);
const share = z.number().min(0).max(1);
const left = z
  .number()
  .positive()
  .refine((value) => value !== 1, {
    error: 'Give the share that may be left, like 0.5, or a number above 1',
  });
const text = z.string().min(1);
const widths = z.array(z.int().positive());

const common = {
  $schema: text.describe('where the JSON Schema of this file lies, for editors'),
  engine: choice(['auto', 'tensorflow', 'wasm', 'cpu']),
  out: text.describe('the folder of the run'),
  report: z.boolean(),
  quantize: choice(quantizations).describe(
    'the type that weights are stored in (default: float32, as they are)',
  ),
  shardBytes: whole(1).describe('split the weights into files of at most so many bytes'),
};

const data = {
  dataset: z.string().superRefine((given, context) => {
    try {
      dataset(given);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
    }
  }),
  limit: whole(1),
  validation: whole(0),
  split: choice(['70:15:15', '80:20']),
  normalize: choice(['unit', 'standard']),
  of: choice(['digits', 'letters']),
  as: choice(['images', 'features']),
  rows: whole(10),
  label: text,
  header: z.boolean(),
  delimiter: text,
  dataSeed: whole(0),
  offline: z.boolean(),
};

const model = {
  model: choice(modelNames),
  conv: widths,
  dense: widths,
  hidden: widths,
  activation: choice(activations),
  dropout: z.number().min(0).lt(1),
  l2: z.number().min(0),
};

const training = (leastEpochs: number) => ({
  epochs: whole(leastEpochs),
  batchSize: whole(1),
  optimizer: choice(optimizerNames),
  learningRate: z.number().positive(),
  seed: whole(0),
  earlyStopping: whole(1).describe('stop when the loss has not improved for so many epochs'),
});

const noise = {
  noise: noiseLevels.describe('measure accuracy with noise on the inputs, too: levels by kind'),
  trainNoise: noiseLevels.describe(
    'train with noise: each training row has one of these, anew in each epoch',
  ),
};

const judging = {
  pruner: z
    .union([prunerSpec, z.array(prunerSpec).min(1)], {
      error: 'Give a pruner, or a list of pruners that judge together',
    })
    .describe('who judges; several judge together, by rank'),
  fraction: z
    .union([z.number().min(0).lt(1), z.record(z.string(), z.number().min(0).lt(1))], {
      error: 'Give a share of the units from 0 to below 1, or one for each group: { "fc1": 0.5 }',
    })
    .describe('how far: this share of the units of each group'),
  count: z
    .union([whole(0), z.record(z.string(), whole(0))], {
      error: 'Give a number of units, or one for each group: { "fc1": 10 }',
    })
    .describe('how far: so many units of each group'),
  params: left.describe('how far: until at most these parameters are left: a share, or a number'),
  macs: left.describe('how far: the same of multiply-adds'),
  bytes: left.describe('how far: the same of the bytes of float32 weights'),
  threshold: z.number().describe('how far: the units with a score below it'),
  ranking: choice(rankings).describe(
    'which groups share the budget: each has its own, all, or those of like parts',
  ),
  scope: z.array(text).min(1).describe('groups: ids, globs for ids, or kinds (neuron, channel, feature)'),
  keep: z.array(text).min(1).describe('layers that stay as they are: names or globs'),
  roundTo: whole(1).describe('what stays of a group is a multiple of it (default: 1)'),
  minUnits: whole(1).describe('at least so many units of each group stay (default: 1)'),
  compensation: choice(compensationNames),
  wholeLayers: z.boolean().describe('layers may go of which every unit should'),
};

const schedule = {
  every: whole(1).describe('after every so many epochs (default: 1)'),
  from: share.describe('not in this first part of the epochs (default: 0)'),
  until: share.describe('only in this first part of the epochs (default: 0.7)'),
  power: z.number().positive().describe('much at first, little at the end: by 1 - (1 - k/n)^p'),
  after: share.describe('once, after this part of the epochs'),
  floor: share.describe('only while validation accuracy is at least this'),
};

const removal = {
  removal: choice(['shrink', 'mask']).describe('make the model smaller (default), or zero units in place'),
  removeLayers: z
    .number()
    .min(0)
    .max(100)
    .describe('remove whole hidden layers while it costs at most so many points of validation accuracy'),
};

const calibration = whole(1).describe('judge units on so many training rows (default: 2000)');

/** The phases of `train`. */
export const phases: z.ZodType<readonly PhaseOptions[]> = z
  .array(strict(optional({ ...judging, ...schedule })))
  .min(1)
  .describe('several pruners, each with a budget and a schedule of its own');

export const trainConfig: z.ZodType<TrainConfig> = strict(
  optional({
    ...common,
    ...model,
    ...data,
    ...training(1),
    ...noise,
    ...judging,
    ...schedule,
    calibration,
    phases,
    ...removal,
    restart: z
      .union([z.literal(true), restartSettings], { error: 'Give true, or settings: { "step": 8 }' })
      .describe('look for the smallest network that does as well, each from a new initialisation'),
  }),
);

export const pruneConfig: z.ZodType<PruneConfig> = strict(
  optional({
    ...common,
    ...data,
    ...training(0),
    ...noise,
    ...judging,
    latency: z
      .number()
      .gt(0)
      .lt(1)
      .describe("how far: until a forward pass takes this share of the model's time"),
    ...schedule,
    ...removal,
    weights: weightsSpec.describe(
      'zero single weights: a pruner and its options, { "name": "nettrim", "epsilon": 0.1 }',
    ),
    calibration,
    distill: z
      .union([z.literal(true), distillationSettings], {
        error: 'Give true, or settings: { "temperature": 2 }',
      })
      .describe('fine-tune with the unpruned model as a teacher'),
    sweep: z.boolean(),
  }),
);
