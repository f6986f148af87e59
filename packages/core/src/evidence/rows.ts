import * as tf from '@tensorflow/tfjs-core';
import type { TracedWeight } from '../graph/trace.ts';
import type { Weights } from '../pruner.ts';
import type { GroupWatch, PlacedWeight, WatchedSite } from './group-watch.ts';
import { toRows } from './layout.ts';
import { type BatchCaptures, patternsOf } from './pool.ts';
import type { Capture } from './taps.ts';

/** The weights as they are when they are read, in the reader's tidy. */
export class WatchedWeights implements Weights {
  protected readonly watched: GroupWatch;

  constructor(watched: GroupWatch) {
    this.watched = watched;
  }

  get group(): string {
    return this.watched.group.id;
  }

  get incoming(): tf.Tensor2D {
    return incomingRows(this.watched, this.watched.makes, present);
  }

  get outgoing(): tf.Tensor2D {
    return outgoingRows(this.watched, this.watched.reads, present);
  }

  get scales(): tf.Tensor2D {
    return incomingRows(this.watched, this.watched.scales, present);
  }

  get bias(): tf.Tensor1D {
    const { alive, biases } = this.watched;
    return biases.length === 0
      ? tf.zeros([alive.length])
      : tf.sum(incomingRows(this.watched, biases, present), 0);
  }
}

const present = ({ variable }: TracedWeight): tf.Tensor => variable.read();

/** Shape [fanIn, units]: the weights that feed (or scale) the units, as `read` gives them. */
export function incomingRows(
  { alive }: GroupWatch,
  placed: readonly PlacedWeight[],
  read: (weight: TracedWeight) => tf.Tensor,
): tf.Tensor2D {
  return stacked(
    placed.map(({ weight, layout }) => toRows(read(weight), layout)),
    alive.length,
  );
}

/** Shape [units, fanOut]: the weights that read the units, as `read` gives them. */
export function outgoingRows(
  watched: GroupWatch,
  placed: readonly PlacedWeight[],
  read: (weight: TracedWeight) => tf.Tensor,
): tf.Tensor2D {
  return tf.transpose(incomingRows(watched, placed, read));
}

/** Shape [patterns, units]: all that was captured of the batches, pattern by pattern. */
export function rowsOf(
  sites: readonly WatchedSite[],
  batches: readonly BatchCaptures[],
  of: (capture: Capture) => tf.Tensor,
): tf.Tensor2D {
  const units = sites[0]?.layout.units ?? 0;
  return stacked(
    batches.map((batch) => rowsOfBatch(sites, batch, of)),
    units,
  );
}

function rowsOfBatch(
  sites: readonly WatchedSite[],
  batch: BatchCaptures,
  of: (capture: Capture) => tf.Tensor,
): tf.Tensor2D {
  const parts: tf.Tensor2D[] = [];
  batch.forEach((captures, site) => {
    for (const capture of captures) parts.push(toRows(of(capture), sites[site]!.layout));
  });
  const units = sites[0]?.layout.units ?? 0;
  if (parts.length < 2) return stacked(parts, units);
  const patterns = patternsOf(batch);
  const byPattern = parts.map((rows) => tf.reshape<tf.Rank.R3>(rows, [patterns, -1, units]));
  return tf.reshape<tf.Rank.R2>(tf.concat(byPattern, 1), [-1, units]);
}

function stacked(parts: readonly tf.Tensor2D[], units: number): tf.Tensor2D {
  if (parts.length === 0) return tf.zeros([0, units]);
  return parts.length === 1 ? parts[0]! : tf.concat([...parts], 0);
}
