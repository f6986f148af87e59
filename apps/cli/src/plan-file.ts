import { type Plan, type Pruning, parsePlan, plan } from '@espalier/core';
import { type Dataset, take } from '@espalier/datasets';
import { formatChange, formatCount } from '@espalier/report';
import { planToFloor, planToLatency } from '@espalier/trainer';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { withTensors } from './data.ts';
import { UsageError } from './errors.ts';
import { readJson } from './files.ts';
import { CALIBRATION, type MeasuredOptions, type PruningOptions, pruningOf } from './options/pruning.ts';
import type { Ui } from './ui.ts';

/** @throws if the file can't be read or holds no plan. */
export async function readPlan(path: string): Promise<Plan> {
  const value = await readJson(path, 'plan');
  try {
    return parsePlan(value);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}. Make one with espalier plan`, { cause: error });
  }
}

/** The pruning that the options mean, for a model that is not being trained. */
export async function pruningNow(options: PruningOptions & MeasuredOptions, seed: number): Promise<Pruning> {
  const { latency, floor } = options;
  const pruning = await pruningOf(options, seed, { measured: latency !== undefined || floor !== undefined });
  const { pruner } = pruning;
  if (pruner.needs?.includes('updates')) {
    throw new UsageError(
      `the pruner ${pruner.name} watches training: use espalier train, or espalier prune --every 1`,
    );
  }
  return pruning;
}

/** The rows of a forward pass that is timed. */
const TIMED_ROWS = 100;

/** A plan by training rows; how far accuracy allows it is measured on validation rows. */
export function makePlan(
  model: LayersModel,
  dataset: Dataset,
  { budget, ...pruning }: Pruning,
  { calibration = CALIBRATION, latency, floor }: PruningOptions & MeasuredOptions,
): Promise<Plan> {
  if (floor !== undefined && dataset.validation.rows === 0) {
    throw new Error(
      `${dataset.name} has no validation rows with these options, and --floor goes by them: use --split 70:15:15`,
    );
  }
  const parts = {
    data: take(dataset.train, calibration),
    timed: take(dataset.train, TIMED_ROWS),
    validation: dataset.validation,
  };
  return withTensors(dataset, parts, ({ data, timed, validation }) => {
    if (latency !== undefined) return planToLatency(model, { ...pruning, data, latency, x: timed.x });
    if (floor !== undefined) return planToFloor(model, { ...pruning, data, floor, validation });
    return plan(model, { ...pruning, ...(budget && { budget }), data });
  });
}

/** What a plan removes and saves. */
export function planText({ groups, cost: { before, after }, notes }: Plan, ui: Ui): string {
  const removals = ui.table('Units', {
    columns: [
      { name: 'group' },
      { name: 'kind' },
      { name: 'units', numeric: true },
      { name: 'go', numeric: true },
      { name: 'stay', numeric: true, strong: true },
    ],
    rows: groups.map(({ id, kind, size, remove }) => [id, kind, size, remove.length, size - remove.length]),
  });
  const line = (name: string, from: number, to: number): (string | number)[] => [
    name,
    formatCount(from),
    formatCount(to),
    formatChange(from, to),
  ];
  const costs = ui.table('Cost', {
    columns: [
      { name: '' },
      { name: 'before', numeric: true },
      { name: 'after', numeric: true, strong: true },
      { name: 'change', numeric: true },
    ],
    rows: [line('Parameters', before.params, after.params), line('Multiply-adds', before.macs, after.macs)],
  });
  return [removals, costs, ...notes.map((note) => `* ${note}`)].join('\n');
}

/** How much of each group goes, for JSON. */
export const planJson = ({
  pruner,
  compensation,
  groups,
  cost: costs,
  notes,
}: Plan): Record<string, unknown> => ({
  pruner,
  compensation,
  groups: groups.map(({ id, kind, size, remove }) => ({
    id,
    kind,
    before: size,
    after: size - remove.length,
  })),
  cost: costs,
  notes,
});
