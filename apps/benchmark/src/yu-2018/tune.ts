import { cosineRate, disposeModel, type Examples, evaluate, train } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Data } from '../data.ts';

/** Validation accuracy in percent after so many epochs; the first point is before any. */
export type Curve = readonly (readonly [epoch: number, accuracy: number])[];

/** What came of training one small network. */
export interface Tuned {
  readonly curve: Curve;
  /** On test data at the end, in percent. */
  readonly accuracy: number;
  readonly params: number;
}

export interface TuneArgs {
  readonly epochs: number;
  /** The first rate; it falls to 0 by half a cosine. */
  readonly rate: number;
  /** How often in an epoch validation accuracy is measured. */
  readonly points: number;
  readonly batchSize: number;
  readonly seed: number;
}

/** Trains a small network, measures it on test data once, and disposes it. */
export async function tune(model: LayersModel, data: Data, args: TuneArgs): Promise<Tuned> {
  const { epochs, points, batchSize, seed } = args;
  const [rate, steps] = [cosineRate(args.rate), epochs * points];
  const measured = async () => 100 * (await evaluate(model, data.validation)).accuracy;
  const curve: (readonly [number, number])[] = [[0, await measured()]];
  const parts = partsOf(data.train, points);
  try {
    for (let step = 0; step < steps; step++) {
      // an order of its own for each time a part is met
      await train(
        model,
        { train: parts[step % points]! },
        { epochs: 1, batchSize, learningRate: () => rate(step / steps), seed: 1000 * seed + step },
      );
      curve.push([(step + 1) / points, await measured()]);
    }
    const { accuracy } = await evaluate(model, data.test);
    return { curve, accuracy: 100 * accuracy, params: model.countParams() };
  } finally {
    disposeModel(model);
    for (const { x, y } of parts) tf.dispose([x, y]);
  }
}

/** Examples in so many parts; one example may be in none. */
function partsOf({ x, y }: Examples, count: number): Examples[] {
  const rows = Math.floor(x.shape[0]! / count);
  return Array.from({ length: count }, (_, part) => ({
    x: tf.slice(x, part * rows, rows),
    y: tf.slice(y, part * rows, rows),
  }));
}

/** After how many epochs a curve first comes to an accuracy; undefined if it never does. */
export const reaches = (curve: Curve, accuracy: number): number | undefined =>
  curve.find(([, value]) => value >= accuracy)?.[0];

/** Point by point, of curves with the same points. */
export const meanCurve = (curves: readonly Curve[]): Curve =>
  (curves[0] ?? []).map(([epoch], i) => [
    epoch,
    curves.reduce((total, curve) => total + curve[i]![1], 0) / curves.length,
  ]);
