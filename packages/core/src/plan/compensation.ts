import type { Moments } from '../evidence/moments.ts';
import type { Proposal } from '../pruner.ts';
import type { UnitFold } from './types.ts';

/** What a compensation looks at. */
export interface Removed {
  /** The units that go, with the partners that a pair pruner named. */
  readonly proposals: readonly Proposal[];
  /** The units that stay, ascending. */
  readonly survivors: readonly number[];
  /** Of the consumer's input; there if `needs` asks. */
  readonly moments?: Moments;
  /** Whether the consumer can take constants over. */
  readonly hasBias: boolean;
}

/** What a compensation looks at that refits a consumer's weights. Units are numbered as in the moments. */
export interface ReadUnits {
  /** The units that go, of all groups that stand side by side there. */
  readonly removed: readonly number[];
  readonly survivors: readonly number[];
  /** Of the consumer's input: one of all outputs, or one for each. */
  readonly moments: readonly Moments[];
  /** The kernel's weights at each unit, row-major [units, positions, columns]. */
  readonly weights: Float64Array;
  /** The output that each column feeds. */
  readonly outputs: Int32Array;
  readonly hasBias: boolean;
}

/** What is added to a consumer's weights. */
export interface WeightChange {
  /** Row-major [survivors, positions, columns]. */
  readonly weights: Float64Array;
  /** One number for each output. */
  readonly bias?: Float64Array;
}

/**
 * What the survivors take over from the removed, at one consumer: by `fold`, which replaces each removed unit of a group
 * by a linear combination of surviving ones and a constant; or by `refit`, which changes the survivors' weights.
 */
export interface Compensation {
  readonly name: string;
  /** Statistics of the consumers' inputs over the data; without it no data is run. */
  readonly needs?: 'means' | 'covariances';
  /** Whether it needs a pruner that names partners. */
  readonly partners?: boolean;
  /** In the order and numbers of what it is given. */
  fold?(removed: Removed): readonly UnitFold[];
  refit?(read: ReadUnits): WeightChange;
  /** Whether `refit` is given statistics weighted by how much what the model says depends on each output. */
  readonly weighted?: boolean;
}

/** Nothing: the removed units' part is lost. */
export const none = (): Compensation => ({ name: 'none' });

/** What `addOutgoing` does beyond adding. */
export interface AddOutgoingArgs {
  /** What becomes of a unit without a partner: `'nothing'`, or its `'mean'` goes into the consumers' biases. Default `'nothing'`. */
  readonly alone?: 'nothing' | 'mean';
}

/** The partner's outgoing weights grow by those of the removed unit (Gedeon & Harris 1991, Sui 2018). */
export const addOutgoing = ({ alone = 'nothing' }: AddOutgoingArgs = {}): Compensation => ({
  name: 'add',
  ...(alone === 'mean' && { needs: 'means' }),
  partners: true,
  fold: ({ proposals, moments }) =>
    proposals.flatMap(({ unit, into }): UnitFold[] => {
      if (into !== undefined) return [{ unit, into: [[into, 1]] }];
      return moments ? [{ unit, into: [], constants: constantsOf(unit, moments) }] : [];
    }),
});

/**
 * As `addOutgoing`, with the removed unit h_j replaced by the best linear guess from its partner alone:
 * h_j ~ s h_i + (mean_j - s mean_i), s = cov(h_i, h_j) / var(h_i). Without a partner, by its mean.
 */
export const scaleOutgoing = (): Compensation => ({
  name: 'scale',
  needs: 'covariances',
  partners: true,
  fold: ({ proposals, moments }) =>
    proposals.map(({ unit, into }) => {
      const { units, positions, means, covariances } = moments as Required<Moments>;
      if (into === undefined) return { unit, into: [], constants: constantsOf(unit, moments!) };
      const meanAt = (u: number, position: number) => means[position * units + u]!;
      const variance = covariances[into * units + into]!;
      const mean = meanAt(into, 0);
      // a partner that hardly varies says nothing of the removed unit
      const factor = variance > 1e-12 * (1 + mean * mean) ? covariances[into * units + unit]! / variance : 0;
      const constants = Array.from(
        { length: positions },
        (_, p) => meanAt(unit, p) - factor * meanAt(into, p),
      );
      return { unit, into: [[into, factor] as const], constants };
    }),
});

/** The removed unit becomes its mean, which goes into the consumer's bias. */
export const foldMean = (): Compensation => ({
  name: 'mean',
  needs: 'means',
  fold: ({ proposals, moments }) =>
    proposals.map(({ unit }) => ({ unit, into: [], constants: constantsOf(unit, moments!) })),
});

function constantsOf(unit: number, { units, positions, means }: Moments): number[] {
  return Array.from({ length: positions }, (_, position) => means[position * units + unit]!);
}
