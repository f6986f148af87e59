import * as tf from '@tensorflow/tfjs-core';
import type { PairPruner, Proposal, ScorePruner } from '../pruner.ts';
import { uniform } from './random.ts';

/** Scores drawn at random, others for each group. */
export const anyScores = (seed: number): ScorePruner => ({
  name: 'any-scores',
  score: ({ group, bias }) => {
    const next = uniform(seed + group.length * 31);
    return tf.tensor1d(Float32Array.from({ length: bias.shape[0] }, next));
  },
});

/** Each second unit of a random order, with the one before it as partner. */
export const anyPairs = (seed: number): PairPruner => ({
  name: 'any-pairs',
  compare: ({ bias }) => tf.zeros([bias.shape[0], bias.shape[0]]),
  propose: (_, units) => {
    const next = uniform(seed + units);
    const order = Array.from({ length: units }, (_, unit) => ({ unit, at: next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ unit }) => unit);
    const proposals: Proposal[] = [];
    for (let i = 0; i + 1 < units; i += 2) {
      proposals.push({ unit: order[i]!, into: order[i + 1]!, score: i });
    }
    return proposals;
  },
});

/** The given scores for every group. */
export const scores = (...values: readonly number[]): ScorePruner => ({
  name: 'scores',
  score: ({ bias }) => tf.tensor1d(Array.from({ length: bias.shape[0] }, (_, unit) => values[unit] ?? 1e3)),
});

/** The given proposals for every group. */
export const pairs = (...proposals: readonly Proposal[]): PairPruner => ({
  name: 'pairs',
  compare: ({ bias }) => tf.zeros([bias.shape[0], bias.shape[0]]),
  propose: () => proposals,
});
