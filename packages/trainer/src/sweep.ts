import { type CalibrationData, type Pruning, plan, shrink } from '@espalier/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { disposeModel } from './dispose.ts';
import { type Examples, evaluate } from './evaluate.ts';
import type { SweepEvent } from './record.ts';
import { sizesOf } from './sizes.ts';

/** What `sweep` needs. */
export interface SweepOptions extends Omit<Pruning, 'budget'> {
  /** Up to how many units of each group, by its id. */
  readonly counts: Readonly<Record<string, number>>;
  /** What the accuracy is measured on; which part of the data that is, the events say. */
  readonly examples: Examples;
  readonly split: SweepEvent['split'];
  /** Stands in the chart. */
  readonly series: string;
  /** What units are judged on. */
  readonly calibration?: CalibrationData;
  /** How many points after that of the unpruned model. Default 8. */
  readonly points?: number;
}

/**
 * The accuracy without further training at growing numbers of removed units. The model is not changed.
 *
 * @throws as `plan` and `evaluate` do.
 */
export async function sweep(model: LayersModel, options: SweepOptions): Promise<SweepEvent[]> {
  const { counts, examples, split, series, calibration, points = 8, ...pruning } = options;
  const sizes = Object.values(sizesOf(model, { scope: Object.keys(counts) }));
  const units = sizes.reduce((total, size) => total + size, 0);
  const events: SweepEvent[] = [];
  const record = async (removed: number, measured: LayersModel) => {
    const { accuracy } = await evaluate(measured, examples);
    events.push({ type: 'sweep', split, series, units, removed, accuracy });
  };
  await record(0, model);
  for (let point = 1; point <= points; point++) {
    const count = Object.fromEntries(
      Object.entries(counts).map(([id, most]) => [id, Math.round((most * point) / points)]),
    );
    const made = await plan(model, {
      ...pruning,
      scope: Object.keys(counts),
      budget: { count },
      ...(calibration && { data: calibration }),
    });
    const removed = made.groups.reduce(
      (total, { id, remove }) => total + (id in counts ? remove.length : 0),
      0,
    );
    if (removed === events.at(-1)?.removed) continue;
    const smaller = await shrink(model, made);
    try {
      await record(removed, smaller);
    } finally {
      disposeModel(smaller);
    }
  }
  return events;
}
