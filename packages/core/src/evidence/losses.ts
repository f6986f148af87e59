import * as tf from '@tensorflow/tfjs-core';
import type { GroupWatch, PlacedWeight } from './group-watch.ts';

/**
 * How much each pattern's loss grows while nobody reads a unit, [patterns, units]. All that reads the unit is 0
 * meanwhile, as when it is masked: `losses` ([patterns]) is asked once for each unit.
 */
export const lossesWithout = ({ reads, alive }: GroupWatch, losses: () => tf.Tensor1D): tf.Tensor2D =>
  tf.tidy(() => {
    const before = losses();
    const columns = alive.map((_, unit) =>
      unread(reads, unit, () => tf.tidy(() => tf.sub<tf.Tensor1D>(losses(), before))),
    );
    return columns.length === 0 ? tf.zeros([before.size, 0]) : (tf.stack(columns, 1) as tf.Tensor2D);
  });

/** Runs something while nobody reads a unit. */
function unread<T>(reads: readonly PlacedWeight[], unit: number, run: () => T): T {
  const undo: (() => void)[] = [];
  try {
    for (const { weight, layout } of reads) {
      // past the layer's constraint, which could change the others
      const variable = weight.variable.read() as tf.Variable;
      const held = variable.clone();
      undo.push(() => {
        variable.assign(held);
        held.dispose();
      });
      const gate = tf.buffer(weight.shape.map((length, axis) => (axis === layout.axis ? length : 1)));
      gate.values.fill(1);
      for (let position = 0; position < layout.positions; position++) {
        const entry = layout.entries[position * layout.units + unit]!;
        if (entry >= 0) gate.values[entry] = 0;
      }
      tf.tidy(() => variable.assign(tf.mul(variable, gate.toTensor())));
    }
    return run();
  } finally {
    // a weight may read the unit along two axes
    for (const back of undo.reverse()) back();
  }
}
