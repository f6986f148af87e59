import * as tf from '@tensorflow/tfjs-core';
import { type System, systemOf } from './system.ts';

/** Which weights of a layer are looked for: the sparsest U with |(X U - Y) on active| ≤ ε and X U ≤ V elsewhere. */
export type Program = {
  /** X, shape [patterns, inputs]. */
  readonly inputs: tf.Tensor2D;
  /** Y, shape [patterns, outputs]. */
  readonly targets: tf.Tensor2D;
  /** Booleans of shape [patterns, outputs]: where the output must be near to its target; elsewhere it must only stay low. */
  readonly active: tf.Tensor2D;
  /** V, shape [patterns, outputs]: how high the output may be where it isn't active. */
  readonly ceiling: tf.Tensor2D;
  /** ε: of all active outputs together. */
  readonly epsilon: number;
  /** Shape [inputs, 1]: what an absolute weight of each input costs, 1 or 0. */
  readonly price: tf.Tensor2D;
  /** Shape [inputs, outputs]: weights that keep the bounds, to begin with. */
  readonly start: tf.Tensor2D;
};

/** How the search goes. */
export interface Search {
  /** The most rounds; as many again for the refit. */
  readonly iterations: number;
  /** It ends before that once both residuals are at most this share of what they are differences of. */
  readonly tolerance: number;
  /** Whether the weights that are left are fitted anew, as near to the targets as they can be under the same ceiling. */
  readonly refit: boolean;
}

/** Rounds between two looks at the residuals: each waits for the engine. */
const LOOK = 10;
/** Over-relaxation; Boyd et al. (2011), section 3.4.3, recommend 1.5 to 1.8. */
const RELAX = 1.6;
/** The residuals may be so many times apart before the penalty is changed, by a factor of 2 (section 3.4.1). */
const APART = 4;
/** Instead of a norm of 0. */
const TINY = 1e-30;
/** What the largest of the inputs' squares becomes: the authors' code has 1/0.3². */
const LARGEST = 1 / 0.3 ** 2;

/** Where the search stands; A and B are what X U and U should be, a and b by how much they have missed it (scaled duals). */
type State = {
  readonly weights: tf.Tensor2D;
  readonly sums: tf.Tensor2D;
  readonly bounded: tf.Tensor2D;
  readonly sparse: tf.Tensor2D;
  readonly missedSums: tf.Tensor2D;
  readonly missedWeights: tf.Tensor2D;
};

/** What each round brings sums and weights to, given how much a change costs. */
interface Wanted {
  /** The sums nearest to these that will do. */
  sums(given: tf.Tensor2D, penalty: number): tf.Tensor2D;
  /** The weights nearest to these that will do. */
  weights(given: tf.Tensor2D, penalty: number): tf.Tensor2D;
}

/**
 * Solves a program by the alternating direction method of multipliers (Aghasi, Abdi, Romberg 2020, algorithm 1): in turn
 * the bounds are kept, weights are shrunk to 0, and both are reconciled by least squares. The last of the shrunk weights
 * are the answer, so its zeros are zeros; it keeps the bounds as far as the search has come.
 *
 * What an absolute sum picks it also shrinks; a refit gives those that are left their size back (Meinshausen, "Relaxed
 * lasso", 2007), in the same way.
 *
 * @returns shape [inputs, outputs], the caller's to dispose.
 */
export async function sparsest(program: Program, search: Search): Promise<tf.Tensor2D> {
  const scale = await scaleOf(program.inputs);
  // inputs that are all 0 need no weights
  if (scale === 0) return tf.tidy(() => tf.mul(program.start, tf.sub(1, program.price)));
  const scaled = tf.tidy(() => scaledBy(program, scale));
  const { inputs, targets, ceiling } = scaled;
  const system = await systemOf(inputs);
  try {
    const found = await alternate(scaled, system, bounded(scaled), await firstPenalty(program), search);
    if (!search.refit) return found;
    const left = tf.tidy(() =>
      tf.cast<tf.Tensor2D>(tf.logicalOr(tf.notEqual(found, 0), tf.equal(program.price, 0)), 'float32'),
    );
    const fitted = await alternate({ ...scaled, start: found }, system, fit(scaled, left), 1, search);
    tf.dispose([found, left]);
    return fitted;
  } finally {
    system.dispose();
    tf.dispose([inputs, targets, ceiling]);
  }
}

/** The sums within their bounds, the weights as small as can be. */
const bounded = (program: Program): Wanted => ({
  sums: (given) => withinBounds(program, given),
  weights: (given, penalty) => shrunk(given, tf.div(program.price, penalty)),
});

/** The active sums near their targets, the others below the ceiling, the weights 0 but where `left` is 1. */
const fit = ({ targets, active, ceiling }: Program, left: tf.Tensor2D): Wanted => ({
  sums: (given, penalty) =>
    tf.where(
      active,
      tf.div(tf.add(tf.mul(penalty, given), targets), penalty + 1),
      tf.minimum(given, ceiling),
    ),
  weights: (given) => tf.mul(left, given),
});

/** Rounds of the alternating direction method, from the program's start on. */
async function alternate(
  program: Program,
  system: System,
  wanted: Wanted,
  firstPenalty: number,
  { iterations, tolerance }: Search,
): Promise<tf.Tensor2D> {
  let penalty = firstPenalty;
  let state = tf.tidy(() => startOf(program));
  for (let round = 1; round <= iterations; round++) {
    const before = state;
    state = tf.tidy(() => next(wanted, system, before, penalty));
    const factor = round % LOOK === 0 ? await changeOf(state, before, tolerance) : 1;
    tf.dispose(before);
    if (factor === 'done') break;
    if (factor === 1) continue;
    penalty *= factor;
    state = withDuals(state, factor);
  }
  const answer = state.sparse.clone();
  tf.dispose(state);
  return answer;
}

async function scaleOf(inputs: tf.Tensor2D): Promise<number> {
  const largest = tf.tidy(() => tf.max(tf.sum(tf.square(inputs), 0)));
  const [most] = await largest.data();
  largest.dispose();
  return Math.sqrt(most! / LARGEST);
}

const scaledBy = (program: Program, scale: number): Program => {
  const [inputs, targets, ceiling] = [program.inputs, program.targets, program.ceiling].map((tensor) =>
    tf.div<tf.Tensor2D>(tensor, scale),
  ) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
  return { ...program, inputs, targets, ceiling, epsilon: program.epsilon / scale };
};

/** At first a quarter of a mean weight is shrunk away in a round. */
async function firstPenalty({ start }: Program): Promise<number> {
  const mean = tf.tidy(() => tf.mean(tf.abs(start)));
  const [size] = await mean.data();
  mean.dispose();
  return size! > 0 ? 4 / size! : 1;
}

function startOf({ inputs, start }: Program): State {
  const sums = tf.matMul<tf.Tensor2D>(inputs, start);
  return {
    ...{ weights: start.clone(), sums, bounded: sums.clone(), sparse: start.clone() },
    ...{ missedSums: tf.zerosLike(sums), missedWeights: tf.zerosLike(start) },
  };
}

function next(wanted: Wanted, system: System, state: State, penalty: number): State {
  const relaxed = (now: tf.Tensor2D, before: tf.Tensor2D): tf.Tensor2D =>
    tf.add(before, tf.mul(RELAX, tf.sub(now, before)));
  const sums = tf.sub<tf.Tensor2D>(relaxed(state.sums, state.bounded), state.missedSums);
  const weights = tf.sub<tf.Tensor2D>(relaxed(state.weights, state.sparse), state.missedWeights);
  const bounded = wanted.sums(sums, penalty);
  const sparse = wanted.weights(weights, penalty);
  const missedSums = tf.sub<tf.Tensor2D>(bounded, sums);
  const missedWeights = tf.sub<tf.Tensor2D>(sparse, weights);
  const solved = system.solve(tf.add(bounded, missedSums), tf.add(sparse, missedWeights));
  return { weights: solved[0], sums: solved[1], bounded, sparse, missedSums, missedWeights };
}

/** The nearest sums that keep the bounds. */
function withinBounds({ targets, active, ceiling, epsilon }: Program, sums: tf.Tensor2D): tf.Tensor2D {
  const off = tf.sub(sums, targets);
  const far = tf.maximum(norm(tf.where(active, off, 0)), TINY);
  const near = tf.add<tf.Tensor2D>(targets, tf.mul(tf.minimum(1, tf.div(epsilon, far)), off));
  return tf.where<tf.Tensor2D>(active, near, tf.minimum(sums, ceiling));
}

/** Nearer to 0 by `by`, and 0 where that is further than it is away. */
const shrunk = (weights: tf.Tensor2D, by: tf.Tensor): tf.Tensor2D =>
  tf.sub(weights, tf.maximum(tf.neg(by), tf.minimum(by, weights)));

/** Of all entries together; `tf.norm` takes powers, which are many times as slow as squares. */
const norm = (...parts: readonly tf.Tensor[]): tf.Tensor =>
  tf.sqrt(tf.addN(parts.map((part) => tf.sum(tf.square(part)))));

/**
 * What the penalty should be multiplied by, or that the search is at its end; Boyd et al. (2011), section 3.3.1: the primal
 * residual is what A and B differ from X U and U by, the dual one what they changed by.
 */
async function changeOf(state: State, before: State, tolerance: number): Promise<number | 'done'> {
  const norms = tf.tidy(() =>
    tf.stack([
      norm(tf.sub(state.bounded, state.sums), tf.sub(state.sparse, state.weights)),
      norm(tf.sub(state.bounded, before.bounded), tf.sub(state.sparse, before.sparse)),
      norm(state.bounded, state.sparse),
      norm(state.missedSums, state.missedWeights),
    ]),
  );
  const [primal, dual, size, missed] = (await norms.data()) as unknown as [number, number, number, number];
  norms.dispose();
  if (primal <= tolerance * size && dual <= tolerance * missed) return 'done';
  if (primal > APART * dual) return 2;
  return dual > APART * primal ? 0.5 : 1;
}

/** The scaled duals are in units of the penalty. */
function withDuals(state: State, factor: number): State {
  const [missedSums, missedWeights] = [state.missedSums, state.missedWeights].map((dual) =>
    tf.div<tf.Tensor2D>(dual, factor),
  ) as [tf.Tensor2D, tf.Tensor2D];
  tf.dispose([state.missedSums, state.missedWeights]);
  return { ...state, missedSums, missedWeights };
}
