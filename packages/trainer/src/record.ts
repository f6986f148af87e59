/**
 * The run record: what happened in a run, one JSON object a line (JSONL), in the order in which it
 * happened. The trainer writes it, reports are drawn from it.
 */
import type { Noise, NoiseKind } from '@espalier/noise';

/** Params, multiply-adds of one forward pass of one example, and bytes of the float32 weights. */
export interface CostRecord {
  readonly params: number;
  readonly macs: number;
  readonly bytes: number;
}

/** One group of units before and after a pruning. */
export interface GroupRecord {
  readonly id: string;
  readonly kind: string;
  readonly before: number;
  readonly after: number;
}

/** One layer of a model as it stands in the before/after table. */
export interface LayerRecord {
  readonly name: string;
  readonly className: string;
  readonly outputShape: readonly (number | null)[];
  readonly params: number;
  readonly macs: number;
}

export interface StartEvent {
  readonly type: 'start';
  /** ISO 8601. */
  readonly time: string;
  readonly title: string;
  readonly seed: number;
  readonly engine: string;
  readonly dataset: {
    readonly name: string;
    /** Class names in label order. */
    readonly classes: readonly string[];
    readonly rows: { readonly train: number; readonly validation: number; readonly test: number };
    /** Where it came from, or that it stands in for another. */
    readonly note?: string;
  };
  /** What the model was compiled with when the run began; the record may hold epochs from before. */
  readonly optimizer: string;
  /** What training rows had on them, each one of these. */
  readonly noise?: readonly Noise[];
  /** Whose outputs it learned from beside the targets, for a reader. */
  readonly teacher?: string;
  readonly layers: readonly LayerRecord[];
  readonly cost: CostRecord;
}

export interface EpochEvent {
  readonly type: 'epoch';
  /** Counted from 1, through all phases of the run. */
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy?: number;
  readonly valLoss?: number;
  readonly valAccuracy?: number;
  readonly seconds: number;
}

export interface PruneEvent {
  readonly type: 'prune';
  /** The number of epochs that were done when it happened. */
  readonly epoch: number;
  readonly pruner: string;
  readonly compensation: string;
  readonly groups: readonly GroupRecord[];
  /** Of the network without the units that are masked, if units are masked. */
  readonly before: CostRecord;
  readonly after: CostRecord;
  readonly notes: readonly string[];
}

/** Single weights that were zeroed; the units stay. */
export interface WeightsEvent {
  readonly type: 'weights';
  /** The number of epochs that were done when it happened. */
  readonly epoch: number;
  readonly pruner: string;
  /** All that inputs are multiplied by, and how much of it is 0 now. */
  readonly kernels: readonly {
    readonly layer: string;
    readonly weight: string;
    readonly weights: number;
    readonly zeros: number;
  }[];
}

/** A measurement of the whole model on one part of the data. */
export interface EvaluateEvent {
  readonly type: 'evaluate';
  /** E.g. 'unpruned' (the trainer measures it on validation data before its first pruning), 'pruned', 'fine-tuned'. */
  readonly stage: string;
  readonly split: 'train' | 'validation' | 'test';
  readonly loss: number;
  /** A fraction, 0 to 1. */
  readonly accuracy: number;
  /** `confusion[actual][predicted]`, counts. */
  readonly confusion: readonly (readonly number[])[];
  /** Milliseconds of one forward pass of one batch of `batch` examples, warmed up. */
  readonly latency?: { readonly milliseconds: number; readonly batch: number };
  /** Bytes on disk. */
  readonly disk?: { readonly bytes: number; readonly gzipped: number };
}

/** One point of accuracy against units removed, without further training. */
export interface SweepEvent {
  readonly type: 'sweep';
  readonly split: 'validation' | 'test';
  /** The curve's name, e.g. `angle + add`. */
  readonly series: string;
  readonly units: number;
  readonly removed: number;
  readonly accuracy: number;
}

/** Accuracy against the level of one kind of noise on the inputs. */
export interface NoiseEvent {
  readonly type: 'noise';
  /** As of an evaluation. */
  readonly stage: string;
  readonly split: EvaluateEvent['split'];
  readonly noise: NoiseKind;
  /** In the order of the levels, from 0: no noise. Accuracies are 0 to 1. */
  readonly points: readonly { readonly level: number; readonly accuracy: number; readonly loss: number }[];
}

/** One size in the search for the smallest that does: new weights, trained as the first network was. */
export interface AttemptEvent {
  readonly type: 'attempt';
  /** Counted from 0, the network of the full size that the others are held against. */
  readonly attempt: number;
  readonly groups: readonly {
    readonly id: string;
    readonly units: number;
    /** How many of them a pruner found to spare after the training, if one was asked. */
    readonly spare?: number;
  }[];
  /** A training for each seed, and the validation accuracy that it came to, 0 to 1. */
  readonly trials: readonly { readonly seed: number; readonly epochs: number; readonly accuracy: number }[];
  /** The mean over the trials. */
  readonly accuracy: number;
  /** What it takes to hold: the full size's accuracy less the tolerance. */
  readonly target: number;
  readonly held: boolean;
  readonly seconds: number;
}

/** A trained network tried without one of its hidden layers. */
export interface LayerEvent {
  readonly type: 'layer';
  /** Counted from 1; in each round one layer goes at most. */
  readonly round: number;
  readonly layer: string;
  /** The layers that go with it, itself among them. */
  readonly goes: readonly string[];
  /** The validation accuracy, 0 to 1, of the network that the search began with. */
  readonly baseline: number;
  /** That of this round's network without the layer. */
  readonly accuracy: number;
  /** Of this round's network, with the layer and without. */
  readonly before: CostRecord;
  readonly after: CostRecord;
  /** Whether the search went on without it. */
  readonly taken: boolean;
}

export interface EndEvent {
  readonly type: 'end';
  readonly time: string;
  readonly seconds: number;
  readonly layers: readonly LayerRecord[];
  readonly cost: CostRecord;
  /** Why the run ended before its last epoch, if it did. */
  readonly stopped?: string;
}

export type RunEvent =
  | StartEvent
  | EpochEvent
  | PruneEvent
  | WeightsEvent
  | EvaluateEvent
  | SweepEvent
  | NoiseEvent
  | AttemptEvent
  | LayerEvent
  | EndEvent;

/** A whole run. */
export type RunRecord = readonly RunEvent[];
