import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { analyzeInternals } from '../graph/analyze.ts';
import { product } from '../graph/labels.ts';
import type { TracedWeight } from '../graph/trace.ts';
import { Removal } from '../plan/removal.ts';
import { isSparse } from '../weights/sparsity.ts';
import { maskedPlan } from './mask.ts';
import { type WeightValues, zeroReads } from './weights.ts';

/**
 * Keeps at zero the weights that read masked units, and those that were pruned one by one, whatever an optimizer makes of
 * them.
 */
export class HeldZeros {
  #held: { readonly weight: TracedWeight; readonly stays: tf.Tensor; readonly zeros: tf.Tensor }[] = [];

  /** Whether there is anything to hold. */
  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** Takes hold of all that is masked in a model, and of the zeros of its sparse weights, as they are by now. */
  hold(model: LayersModel): void {
    this.release();
    const plan = maskedPlan(model);
    if (!plan && !model.weights.some(isSparse)) return;
    const analysis = analyzeInternals(model);
    const { layers } = analysis.trace;
    const weights = layers.flatMap((layer) => layer.weights);
    const ones: WeightValues = new Map(weights.map((weight) => [weight, onesLike(weight)]));
    const read = plan ? zeroReads(layers, new Removal(analysis, plan.groups), ones) : new Set();
    for (const weight of weights) {
      if (!read.has(weight) && !isSparse(weight.variable)) continue;
      const shape = weight.shape as number[];
      this.#held.push({ weight, stays: stayingOf(weight, ones.get(weight)!), zeros: tf.zeros(shape) });
    }
  }

  /** Brings back to zero what was changed since. */
  zero(): void {
    for (const { weight, stays, zeros } of this.#held) {
      tf.tidy(() => {
        const variable = weight.variable.read() as tf.Variable;
        // a product would keep NaN, and make a zero of either sign
        variable.assign(tf.where(stays, variable, zeros));
      });
    }
  }

  /** Lets go of everything; what is zero stays so until somebody changes it. */
  release(): void {
    for (const { stays, zeros } of this.#held) tf.dispose([stays, zeros]);
    this.#held = [];
  }
}

/** Where a weight may be other than 0. */
const stayingOf = ({ variable, shape }: TracedWeight, read: ArrayLike<number>): tf.Tensor =>
  tf.tidy(() => {
    const stays = tf.tensor(Uint8Array.from(read), shape as number[], 'bool');
    return isSparse(variable) ? tf.logicalAnd(stays, tf.notEqual(variable.read(), 0)) : stays;
  });

const onesLike = ({ shape }: TracedWeight): Float32Array => new Float32Array(product(shape)).fill(1);
