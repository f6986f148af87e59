import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { analyzeInternals } from '../graph/analyze.ts';
import { product } from '../graph/labels.ts';
import type { TracedWeight } from '../graph/trace.ts';
import { Removal } from '../plan/removal.ts';
import { maskedPlan } from './mask.ts';
import { type WeightValues, zeroReads } from './weights.ts';

/** Keeps the weights that read masked units at zero, whatever an optimizer makes of them. */
export class HeldUnits {
  #held: { readonly weight: TracedWeight; readonly stays: tf.Tensor; readonly zeros: tf.Tensor }[] = [];

  /** Whether there is anything to hold. */
  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** Takes hold of all that is masked in a model by now. */
  hold(model: LayersModel): void {
    this.release();
    const plan = maskedPlan(model);
    if (!plan) return;
    const analysis = analyzeInternals(model);
    const { layers } = analysis.trace;
    const ones: WeightValues = new Map(
      layers.flatMap(({ weights }) => weights.map((weight) => [weight, onesLike(weight)])),
    );
    for (const weight of zeroReads(layers, new Removal(analysis, plan.groups), ones)) {
      const shape = weight.shape as number[];
      const stays = tf.tensor(Uint8Array.from(ones.get(weight)!), shape, 'bool');
      this.#held.push({ weight, stays, zeros: tf.zeros(shape) });
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

const onesLike = ({ shape }: TracedWeight): Float32Array => new Float32Array(product(shape)).fill(1);
