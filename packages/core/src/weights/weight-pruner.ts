/**
 * The interface of pruners of single weights: what connects two units goes, the units stay. A scorer judges weight by
 * weight; a solver is given a layer with what it reads and what it should sum up, and finds new weights for it.
 * Neither edits a model: `pruneWeights` does.
 */
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';

/** A criterion that gives every weight a score of its own; a budget takes the lowest. */
export interface WeightScorer {
  readonly name: string;
  /** Of the kernel's own shape, finite: the lowest go first. Runs inside a `tf.tidy`. */
  score(kernel: Tensor): Tensor;
}

/** A layer as a matrix product, at each place of a convolution's window: sums = inputs kernel + bias. */
export interface LayerProblem {
  /** The layer's path. */
  readonly layer: string;
  /** Shape [inputs, outputs]: the weights as they are. A window's places are inputs, each with all of its channels. */
  readonly kernel: Tensor2D;
  /** Shape [outputs]; absent where the layer has none. */
  readonly bias?: Tensor1D;
  /** Shape [patterns, inputs]: what the layer reads. In cascade the layers before it have their new weights. 0 of masked units. */
  readonly inputs: Tensor2D;
  /** Shape [patterns, outputs]: what the unpruned model's layer sums up, before its activation. */
  readonly sums: Tensor2D;
  /** Whether of a sum below 0 nothing is left but 0. */
  readonly rectified: boolean;
}

/** New weights for a layer, of the given shapes; a kernel's entries that are 0 go. */
export interface LayerSolution {
  readonly kernel: Tensor2D;
  readonly bias?: Tensor1D;
}

/** A criterion that finds a layer's weights anew, most of them 0, by what the layer reads. */
export interface WeightSolver {
  readonly name: string;
  /** `parallel`: each layer reads what it did in the unpruned model; `cascade`: what the pruned layers before it leave. */
  readonly form: 'parallel' | 'cascade';
  /** The most patterns that it wants to see, drawn at random. */
  readonly patterns: number;
  /** The answer's tensors are the caller's, the problem's are not to be disposed. */
  solve(problem: LayerProblem): Promise<LayerSolution>;
}

/** What `pruneWeights` accepts. */
export type WeightPruner = WeightScorer | WeightSolver;
