import type { Cost, GroupKind } from '../graph/analyze.ts';

/** Which units of one group go. */
export interface PlannedGroup {
  readonly id: string;
  readonly kind: GroupKind;
  /** The number of units before. */
  readonly size: number;
  /** Ascending. */
  readonly remove: readonly number[];
  /** What the pruner gave each unit of `remove`; null for those that went earlier or follow from others. */
  readonly scores: readonly (number | null)[];
}

/**
 * What survivors take over from one removed unit h at one consumer: h is replaced by
 * `sum(factor * h_into) + constant`.
 */
export interface UnitFold {
  readonly unit: number;
  /** [surviving unit, factor] pairs. */
  readonly into: readonly (readonly [unit: number, factor: number])[];
  /** For each entry of the unit on the consumer's input axis; into the consumer's bias. */
  readonly constants?: readonly number[];
}

/** The folds at one consumer. */
export interface Fold {
  readonly group: string;
  /** The consumer and its kernel. */
  readonly layer: string;
  readonly weight: string;
  readonly units: readonly UnitFold[];
}

/**
 * What is added to one consumer's kernel where it reads units that stay, and to its bias, before others go: the weights
 * after a refit, less those before.
 */
export interface Refit {
  readonly layer: string;
  readonly weight: string;
  /** Entries on the axis by which the kernel reads. */
  readonly entries: readonly number[];
  /** For each of `entries`, one number for each of the kernel's weights there, in their order. */
  readonly kernel: readonly number[];
  /** One number for each entry of the bias. */
  readonly bias?: readonly number[];
}

/** Which units go, what is folded into whom, and what it costs and saves. Plain JSON. */
export interface Plan {
  readonly version: 1;
  /** The model's name, and a hash over its layers and weight shapes. */
  readonly model: { readonly name: string; readonly fingerprint: string };
  readonly pruner: string;
  readonly compensation: string;
  readonly groups: readonly PlannedGroup[];
  readonly folds: readonly Fold[];
  /** Made after the folds. */
  readonly refits?: readonly Refit[];
  readonly cost: { readonly before: Cost; readonly after: Cost };
  /**
   * Groups of which one unit stays though every one should go: their layer can only go by `removeLayer`, which joins
   * its neighbours. Found with `wholeLayers` alone.
   */
  readonly spared?: readonly string[];
  /** What a reader should know: budgets that could not be met, compensation that could not be made. */
  readonly notes: readonly string[];
}
