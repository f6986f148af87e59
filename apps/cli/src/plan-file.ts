import { type Plan, type Pruning, parsePlan, plan } from '@espalier/core';
import { type Dataset, take } from '@espalier/datasets';
import { formatChange, formatCount } from '@espalier/report';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { withTensors } from './data.ts';
import { UsageError } from './errors.ts';
import { readJson } from './files.ts';
import { CALIBRATION, type PruningOptions, pruningOf } from './options/pruning.ts';
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
export async function pruningNow(options: PruningOptions, seed: number): Promise<Pruning> {
  const pruning = await pruningOf(options, seed);
  const { pruner } = pruning;
  if (pruner.needs?.includes('updates')) {
    throw new UsageError(
      `the pruner ${pruner.name} watches training: use espalier train --pruner ${pruner.name}`,
    );
  }
  return pruning;
}

/** A plan by training rows alone. */
export const makePlan = (
  model: LayersModel,
  dataset: Dataset,
  pruning: Pruning,
  { calibration = CALIBRATION }: PruningOptions,
): Promise<Plan> =>
  withTensors(dataset, { data: take(dataset.train, calibration) }, ({ data }) =>
    plan(model, { ...pruning, data }),
  );

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
