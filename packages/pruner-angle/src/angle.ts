import type { PairPruner, Proposal } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import { rank } from './rank.ts';

/** Which pairs count, and what becomes of them. */
export interface AngleArgs {
  /** Degrees, 0 to 180: a pair at a smaller angle is similar. Without it (but with `upper`) no pair is. */
  readonly lower?: number;
  /** Degrees, 0 to 180: a pair at a larger angle is complementary. Without it (but with `lower`) none is. */
  readonly upper?: number;
  /**
   * What becomes of a complementary pair. `'add'`: one goes and the other takes over its outgoing weights
   * (Sui 2018). `'remove'`: both go, since they cancel each other (Gedeon & Harris 1991). Default `'add'`.
   */
  readonly complementary?: 'add' | 'remove';
}

/** All that is kept of the patterns seen since the epoch began. */
export type Gram = {
  /** Shape [units, units]: the sum over patterns of (2 s_i)(2 s_j). */
  readonly sum: tf.Tensor2D;
  /** Shape [units, units]: what `sum` was too coarse to take in, by Kahan's compensation. */
  readonly excess: tf.Tensor2D;
  readonly patterns: number;
};

const DEGREES = 180 / Math.PI;

/** A unit whose squashed vector is no longer than this is dead: no pattern moved it by more than 4e-6. */
const DEAD = 1e-6;

/**
 * Proposes one unit of every two whose activations point the same way, or opposite ways: distinctiveness.
 *
 * With h_pj the activation of unit j at pattern p, unit j's vector over all patterns p is
 *
 *     s_pj = sigmoid(h_pj) - 0.5,    angle_ij = acos(s_i . s_j / (|s_i| |s_j|)) in degrees
 *
 * - Similar (angle < `lower`): one of the two goes, its outgoing weights are added to the other's.
 * - Complementary (angle > `upper`): the same (`'add'`), or both go (`'remove'`).
 * - With neither bound, every pair counts as whichever of the two it is nearer to, so that a budget decides.
 * - The one that goes has the shorter vector; of two equally long the one with the higher index.
 * - Pairs are taken greedily, those nearest to 0 or 180 degrees first (ties: lower indices first). A unit is
 *   in one pair at most; so, `'remove'` apart, at most half of the units that are alive go.
 * - A dead unit (|s_j| <= 1e-6) has no angle. It is proposed before all pairs, with score 0 and nobody to
 *   take over. A proposal's score is otherwise its pair's angle; among those of several groups it is ranked by how
 *   far that is from 0 or 180 degrees.
 *
 * `compare` answers with the angles; on the diagonal, where the angle is known to be 0, stand the lengths
 * |s_j| by which `propose` tells who goes and who is dead. A dead unit's angles read 90.
 *
 * One pass, one batch at a time: only the Gram matrix of the vectors is kept, 8 bytes for each two units
 * whatever the number of patterns, and forgotten when an epoch begins. `compare` throws if no pattern has
 * been seen since.
 *
 * Papers: T. D. Gedeon, D. Harris, "Network reduction techniques", Proc. Int. Conf. on Neural Networks
 * Methodologies and Applications, 1991; Sui 2018.
 *
 * @throws if a bound is outside 0 to 180, or `lower` isn't below `upper`.
 */
export const angle = ({ lower, upper, complementary = 'add' }: AngleArgs = {}): PairPruner<Gram> => {
  checkBound('lower', lower);
  checkBound('upper', upper);
  if (lower !== undefined && upper !== undefined && lower >= upper) {
    throw new Error(`[pruner-angle] lower must be below upper, got ${lower} and ${upper}`);
  }
  if (complementary !== 'add' && complementary !== 'remove') {
    throw new Error(`[pruner-angle] complementary must be 'add' or 'remove', got '${complementary}'`);
  }
  const unbounded = lower === undefined && upper === undefined;
  const isSimilar = (degrees: number) => (unbounded ? degrees <= 90 : degrees < (lower ?? 0));
  const isComplementary = (degrees: number) => (unbounded ? degrees > 90 : degrees > (upper ?? 180));

  return {
    name: 'angle',
    needs: ['activations'],
    pools: true,
    comparable: true,
    init: empty,
    onEpochBegin: ({ bias }) => empty(bias.shape[0]),
    onBatchEnd({ activations }, { sum, excess, patterns }) {
      // sigmoid(h) - 0.5 = tanh(h / 2) / 2, without the cancellation around 0; angles don't mind the factor
      const doubled = tf.tanh(tf.div(activations, 2));
      // transposed by itself: some engines multiply transposed matrices by a slower kernel
      const added = tf.sub(tf.matMul<tf.Tensor2D>(tf.transpose(doubled), doubled), excess);
      const next = tf.add<tf.Tensor2D>(sum, added);
      // Kahan: the roundings of thousands of plain float32 sums shift angles near 0 and 180 by 0.1 degrees
      const left = tf.sub<tf.Tensor2D>(tf.sub(next, sum), added);
      return { sum: next, excess: left, patterns: patterns + activations.shape[0] };
    },
    compare(_, { sum, patterns }) {
      if (patterns === 0) throw new Error('no pattern has been seen since the epoch began');
      const self = tf.eye(sum.shape[0]);
      const squares = tf.sum(tf.mul(sum, self), 0);
      // one root of the product: it is exact for two equal vectors, so that their angle is exactly 0
      const lengths = tf.sqrt(tf.maximum(tf.mul(tf.expandDims(squares, 1), squares), 1e-30));
      const radians = tf.acos(tf.clipByValue(tf.div(sum, lengths), -1, 1));
      // pi in float32 is above pi
      const angles = tf.minimum(tf.mul(radians, DEGREES), 180);
      return tf.where(tf.cast(self, 'bool'), tf.div(tf.sqrt(squares), 2), angles);
    },
    propose(matrix, units) {
      const lengthOf = (unit: number) => matrix[unit * units + unit]!;
      const proposals: Proposal[] = [];
      const taken = new Uint8Array(units);
      for (let unit = 0; unit < units; unit++) {
        if (lengthOf(unit) > DEAD) continue;
        taken[unit] = 1;
        proposals.push({ unit, score: 0 });
      }
      for (const [low, high, degrees] of nearestPairs(
        matrix,
        units,
        taken,
        (d) => isSimilar(d) || isComplementary(d),
      )) {
        if (taken[low] || taken[high]) continue;
        taken[low] = taken[high] = 1;
        const [unit, into] = lengthOf(low) < lengthOf(high) ? [low, high] : [high, low];
        // an opposite pair is as near to its end as a similar one to 0
        const price = degrees > 90 ? { price: 180 - degrees } : {};
        if (complementary === 'remove' && isComplementary(degrees)) {
          proposals.push({ unit, also: into, score: degrees, ...price });
        } else {
          proposals.push({ unit, into, score: degrees, ...price });
        }
      }
      return proposals;
    },
  };
};

const empty = (units: number): Gram => ({
  sum: tf.zeros([units, units]),
  excess: tf.zeros([units, units]),
  patterns: 0,
});

/** The pairs [low, high, degrees] of units that aren't taken, those nearest to 0 or 180 degrees first. */
function* nearestPairs(
  matrix: Float32Array,
  units: number,
  taken: Uint8Array,
  isCandidate: (degrees: number) => boolean,
): Generator<readonly [low: number, high: number, degrees: number]> {
  const places = new Uint32Array((units * (units - 1)) / 2);
  const distances = new Float32Array(places.length);
  let count = 0;
  for (let low = 0; low < units; low++) {
    for (let high = low + 1; high < units; high++) {
      const place = low * units + high;
      const degrees = matrix[place]!;
      if (taken[low] || taken[high] || !isCandidate(degrees)) continue;
      places[count] = place;
      distances[count++] = Math.min(degrees, 180 - degrees);
    }
  }
  for (const position of rank(distances.subarray(0, count))) {
    const place = places[position]!;
    yield [Math.floor(place / units), place % units, matrix[place]!];
  }
}

function checkBound(name: string, degrees: number | undefined): void {
  if (degrees === undefined || (degrees >= 0 && degrees <= 180)) return;
  throw new Error(`[pruner-angle] ${name} must be from 0 to 180 degrees, got ${degrees}`);
}
