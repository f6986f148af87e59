import type { AnalyzedGroup } from '../graph/analyze.ts';
import type { Layer } from '../graph/rule.ts';
import type { TracedWeight } from '../graph/trace.ts';
import type { Consumer, GroupWatch, Watched } from './group-watch.ts';
import { type Layout, layoutOf } from './layout.ts';
import { MomentSums, type Moments } from './moments.ts';
import { WeightedSums } from './weighted-sums.ts';

/** A kernel with all watched units that stand side by side on the axis by which it reads, at as many positions each. */
export interface Reader {
  /** The layer's path. */
  readonly layer: string;
  readonly kernel: TracedWeight;
  readonly hasBias: boolean;
  /** Whose units stand there, in the order of the layout. */
  readonly parts: readonly Watched[];
  /** On the kernel's axis. */
  readonly layout: Layout;
  /** The layer whose calls read the units, and by which of their inputs. */
  readonly target: Layer;
  readonly input: number;
  readonly sums: MomentSums | WeightedSums;
}

/** The kernels that read what is watched. Features stand apart from the channels that they are parts of. */
export function readersOf(groups: readonly GroupWatch[], weighted: boolean): Reader[] {
  const found = new Map<TracedWeight, Map<string, { watched: Watched; consumer: Consumer }[]>>();
  for (const watched of groups) {
    for (const consumer of watched.consumers) {
      if (!consumer.foldable) continue;
      const { kernel, layout } = consumer;
      const places = found.get(kernel) ?? new Map();
      const key = `${layout.positions} ${isFeature(watched.group)}`;
      places.set(key, [...(places.get(key) ?? []), { watched, consumer }]);
      found.set(kernel, places);
    }
  }
  return [...found.values()].flatMap((places) => [...places.values()].map((one) => readerOf(one, weighted)));
}

const isFeature = ({ kind }: AnalyzedGroup): boolean => kind === 'feature';

function readerOf(
  places: readonly { readonly watched: Watched; readonly consumer: Consumer }[],
  weighted: boolean,
): Reader {
  const { layer, kernel, hasBias, target, input } = places[0]!.consumer;
  const layout = sideBySide(places.map(({ consumer }) => consumer.layout));
  const read = { ...layout, axis: kernel.contracts!.inputAxis + 1 };
  const parts = places.map(({ watched }) => watched);
  const sums = weighted ? new WeightedSums(read, outputsApart(kernel, layout)) : new MomentSums(read, true);
  return { layer, kernel, hasBias, parts, layout, target, input, sums };
}

/** What two matrices of squares may hold, in numbers: half a gigabyte with those of a batch. */
const MOST_NUMBERS = 2 ** 25;

/** How many outputs are fitted by statistics of their own: all of a matrix, if there is room; else they share one. */
function outputsApart({ shape }: TracedWeight, { positions, units }: Layout): number {
  const outputs = shape.at(-1)!;
  return shape.length === 2 && positions === 1 && outputs * units ** 2 <= MOST_NUMBERS ? outputs : 1;
}

function sideBySide(layouts: readonly Layout[]): Layout {
  const { axis, length } = layouts[0]!;
  const entriesOf = layouts.flatMap(({ units, positions, entries }) =>
    Array.from({ length: units }, (_, unit) =>
      Array.from({ length: positions }, (_, position) => entries[position * units + unit]!),
    ),
  );
  return layoutOf(axis, length, entriesOf);
}

/** The statistics of what a kernel reads: one of all outputs, or one for each. */
export async function momentsOf({ sums }: Reader): Promise<readonly Moments[]> {
  const read = await sums.read();
  return Array.isArray(read) ? read : [read as Moments];
}
