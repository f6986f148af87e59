import { product, stridesOf } from '../graph/labels.ts';
import type { TracedWeight } from '../graph/trace.ts';

/** A kernel seen from the axis by which it reads: at each entry a row of all its weights there, in their order. */
export interface KernelRows {
  readonly width: number;
  /** The output that each column of a row feeds. */
  readonly outputs: Int32Array;
  /** Where a column of an entry's row stands in the kernel's values. */
  offsetOf(entry: number, column: number): number;
}

export function kernelRows({ shape, axes }: Pick<TracedWeight, 'shape' | 'axes'>): KernelRows {
  const axis = axes.findIndex((one) => one?.role === 'reads');
  const makes = axes.findIndex((one) => one?.role === 'makes');
  const inner = product(shape.slice(axis + 1));
  const offsetOf = (entry: number, column: number) =>
    (Math.floor(column / inner) * shape[axis]! + entry) * inner + (column % inner);
  const stride = stridesOf(shape)[makes]!;
  const outputs = Int32Array.from(
    { length: product(shape) / shape[axis]! },
    (_, column) => Math.floor(offsetOf(0, column) / stride) % shape[makes]!,
  );
  return { width: outputs.length, outputs, offsetOf };
}
