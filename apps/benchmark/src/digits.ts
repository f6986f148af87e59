import { loadDataset, take, toTensors } from '@espalier/datasets';
import type { Examples } from '@espalier/trainer';
import { type Data, dataOf } from './data.ts';

/** MNIST as tensors. */
export interface Digits extends Data {
  readonly inputShape: readonly number[];
  readonly name: string;
}

/** Of the 60,000 training images, held back from training: choices are made by them. */
export const VALIDATION = 5000;

/** The most rows of each part. */
export interface Rows {
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

/**
 * MNIST: 55,000 images, 5,000 and 10,000; generated digits where it can't be had.
 *
 * @param most rows of each part: its first ones. Default all.
 */
export async function loadDigits(
  most: number | Rows = Number.POSITIVE_INFINITY,
  normalize: 'standard' | 'unit' = 'standard',
): Promise<Digits> {
  const data = await loadDataset('mnist', { validation: VALIDATION, normalize, fallback: 'glyphs' });
  const rows = typeof most === 'number' ? { train: most, validation: most, test: most } : most;
  const some = (part: keyof Rows): Examples =>
    toTensors(data, take(data[part], Math.min(rows[part], data[part].rows)));
  const parts = { train: some('train'), validation: some('validation'), test: some('test') };
  return { ...dataOf(data, parts), inputShape: data.inputShape, name: data.name };
}
