import { analyze } from '@espalier/core';
import { evaluate } from '@espalier/trainer';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Data } from '../data.ts';

/** What a net costs, and what it can do. Accuracies are in percent. */
export interface Point {
  /** Of the parameters of the net that it comes from, that might be left; 1 for a whole net. */
  readonly share: number;
  readonly accuracy: number;
  readonly validation: number;
  readonly params: number;
  readonly macs: number;
  /** In all layers from which some can go. */
  readonly units: number;
}

/** Measures a net, for the first and only time on test data. */
export async function pointOf(model: LayersModel, data: Data, share: number): Promise<Point> {
  const [validation, test] = [await evaluate(model, data.validation), await evaluate(model, data.test)];
  const { cost, groups } = analyze(model);
  const units = groups.filter(({ prunable, kind }) => prunable && kind !== 'feature');
  return {
    share,
    accuracy: 100 * test.accuracy,
    validation: 100 * validation.accuracy,
    params: cost.params,
    macs: cost.macs,
    units: units.reduce((sum, { size }) => sum + size, 0),
  };
}
