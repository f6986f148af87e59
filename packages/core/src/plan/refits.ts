import { momentsOf, type Reader } from '../evidence/readers.ts';
import { constantPlaceOf } from '../graph/contraction.ts';
import { kernelRows } from '../surgery/kernel-rows.ts';
import { applyRefit, readWeights, type WeightValues } from '../surgery/weights.ts';
import type { Leaving } from './choice.ts';
import type { Compensation, WeightChange } from './compensation.ts';
import type { Removal } from './removal.ts';
import type { Refit } from './types.ts';

/** The units that a reader loses and those that it keeps, in the numbers of its layout. */
interface Split {
  readonly removed: readonly number[];
  readonly survivors: readonly number[];
}

/** What a compensation makes of the kernels that read units that leave: for each kernel by itself, its groups together. */
export async function refitsOf(
  readers: readonly Reader[],
  refit: NonNullable<Compensation['refit']>,
  leaving: readonly Leaving[],
  removal: Removal,
): Promise<Refit[]> {
  const refits: Refit[] = [];
  const { trace } = removal.analysis;
  const split = readers.map((reader) => ({ reader, split: splitOf(reader, leaving, removal) }));
  const changed = split.filter(({ split: { removed } }) => removed.length > 0);
  // what features take over is of weights that took over from channels
  const layers = changed.flatMap(({ reader: { layer: path, kernel } }) => {
    const layer = trace.byPath.get(path)!;
    return [layer, constantPlaceOf(trace, layer, kernel)?.layer ?? layer];
  });
  const values = await readWeights([...new Set(layers)]);
  for (const { reader, split } of changed) {
    const { kernel, hasBias } = reader;
    const { outputs } = kernelRows(kernel);
    const moments = await momentsOf(reader);
    const change = refit({ ...split, moments, outputs, hasBias, weights: weightsOf(reader, values) });
    const one = written(reader, split, change);
    applyRefit(trace, one, values);
    refits.push(one);
  }
  return refits;
}

function splitOf({ parts }: Reader, leaving: readonly Leaving[], removal: Removal): Split {
  const removed: number[] = [];
  const survivors: number[] = [];
  let first = 0;
  for (const { group, alive } of parts) {
    const going = new Set(
      leaving
        .filter(({ watched }) => watched.group === group)
        .flatMap((one) => one.leaving.map(({ unit }) => unit)),
    );
    alive.forEach((unit, i) => {
      if (going.has(i)) removed.push(first + i);
      else if (!removal.isGone(group.roots[unit]!)) survivors.push(first + i);
    });
    first += alive.length;
  }
  return { removed, survivors };
}

/** The kernel's weights at each unit, [units, positions, columns]. */
function weightsOf({ kernel, layout }: Reader, values: WeightValues): Float64Array {
  const { units, positions, entries } = layout;
  const { width, offsetOf } = kernelRows(kernel);
  const data = values.get(kernel)!;
  return Float64Array.from({ length: units * positions * width }, (_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    return data[offsetOf(entries[(row % positions) * units + Math.floor(row / positions)]!, column)]!;
  });
}

function written({ layer, kernel, layout }: Reader, { survivors }: Split, change: WeightChange): Refit {
  const { units, positions, entries } = layout;
  return {
    layer,
    weight: kernel.name,
    entries: survivors.flatMap((unit) =>
      Array.from({ length: positions }, (_, position) => entries[position * units + unit]!),
    ),
    kernel: Array.from(change.weights, short),
    ...(change.bias && { bias: Array.from(change.bias, short) }),
  };
}

/** As many digits as matter of a change: plans are half as long. */
const short = (value: number): number => Number(value.toPrecision(7));
