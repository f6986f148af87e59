import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Analysis, analyzeInternals } from '../graph/analyze.ts';
import type { TracedLayer } from '../graph/trace.ts';
import { asLayersModel } from '../model.ts';
import type { CalibrationData } from '../plan/data.ts';
import { matcherOf, nearest } from '../plan/names.ts';
import { Removal } from '../plan/removal.ts';
import { heldPlan } from '../surgery/mask.ts';
import { readWeights, type WeightValues, writeWeight } from '../surgery/weights.ts';
import { type WeightBudget, withoutLowest } from './score.ts';
import { solved } from './solve.ts';
import { kernelsOf, markSparse, type Sparsity, sparsityOf } from './sparsity.ts';
import type { WeightPruner, WeightScorer, WeightSolver } from './weight-pruner.ts';
import { type LinearLayer, linearLayer } from './windows.ts';

interface KeptLayers {
  /** Layers that stay as they are: their names, those of models around them, or globs (`block1_*`). */
  readonly keep?: readonly string[];
}

/** By the scores of single weights, so many of them. */
export interface ScoredWeights extends WeightBudget, KeptLayers {
  readonly pruner: WeightScorer;
}

/** By new weights for each layer, found by what it reads. */
export interface SolvedWeights extends KeptLayers {
  readonly pruner: WeightSolver;
  /** Needs no targets. */
  readonly data: CalibrationData;
}

/** What {@link pruneWeights} takes. */
export type WeightPruning = ScoredWeights | SolvedWeights;

/**
 * Zeroes single weights in place. The units stay, and so do the model's shape and time; a saved model gains once it is
 * compressed. `hold()`, `prune()` and the trainer hold these zeros from then on, also in what `shrink` makes of the
 * model; of a model that was saved and loaded they are told by `holdZeros`.
 *
 * Scorers judge all weights that inputs are multiplied by (dense, convolutional, depthwise, recurrent); solvers see dense
 * layers and convolutions, and masked units stay masked. Biases and normalisations keep their entries.
 *
 * ```ts
 * await pruneWeights(model, { pruner: magnitudeWeights(), fraction: 0.9, ranking: 'global' });
 * await model.fit(x, y, { epochs: 3, callbacks: hold() });
 * ```
 *
 * @returns what is 0 now.
 * @throws if an option makes no sense or a pruner fails; the model is then untouched.
 */
export async function pruneWeights(model: LayersModel, pruning: WeightPruning): Promise<Sparsity> {
  checkWeightPruning(pruning);
  const analysis = analyzeInternals(asLayersModel(model));
  const { layers: all } = analysis.trace;
  const layers = layersMeant(all, pruning.keep);
  const values = await readWeights(all);
  const found = isScored(pruning)
    ? await withoutLowest(pruning.pruner, kernelsOf(layers), pruning, values)
    : await newWeights(model, analysis, linearOf(layers, pruning), pruning, values);
  for (const [{ variable }, data] of found) {
    writeWeight(variable, data);
    if (data.includes(0)) markSparse(variable);
  }
  return sparsityOf(model);
}

/** @throws if there are none. */
function linearOf(layers: readonly TracedLayer[], { pruner }: SolvedWeights): LinearLayer[] {
  const linear = layers.flatMap((layer) => linearLayer(layer) ?? []);
  if (linear.length > 0) return linear;
  throw new Error(`[core] ${pruner.name} needs dense layers or convolutions, and there are none to prune`);
}

/** @throws if masked units are read again. */
async function newWeights(
  model: LayersModel,
  analysis: Analysis,
  layers: readonly LinearLayer[],
  { pruner, data }: SolvedWeights,
  values: WeightValues,
): Promise<WeightValues> {
  const earlier = await heldPlan(model, analysis);
  const masked = new Removal(analysis, earlier?.groups ?? []);
  return solved(model, pruner, { trace: analysis.trace, layers, masked }, data, values);
}

const isScored = (pruning: WeightPruning): pruning is ScoredWeights => 'score' in pruning.pruner;

/** @throws if the options make no sense, whatever the model. */
function checkWeightPruning(pruning: WeightPruning): void {
  const pruner = (pruning as WeightPruning | undefined)?.pruner as WeightPruner | undefined;
  if (!(pruner instanceof Object) || !('score' in pruner || 'solve' in pruner)) {
    throw new Error(
      '[core] there is no pruner of weights: call its factory, e.g. { pruner: magnitudeWeights() }',
    );
  }
  if (isScored(pruning)) {
    const { fraction, ranking = 'local' } = pruning;
    if (!(fraction >= 0 && fraction < 1)) {
      throw new Error(`[core] fraction must be at least 0 and below 1, got ${fraction}`);
    }
    if (ranking !== 'local' && ranking !== 'global') {
      throw new Error(`[core] ranking must be 'local' or 'global', got ${JSON.stringify(ranking)}`);
    }
  } else if (!pruning.data) {
    throw new Error(`[core] ${pruner.name} goes by what layers read: give data: { x }`);
  }
}

/** @throws if a pattern means no layer with a kernel, or none is left. */
function layersMeant(layers: readonly TracedLayer[], keep: readonly string[] = []): TracedLayer[] {
  const names = kernelsOf(layers).map(({ layer }) => layer.path);
  const stays = keep.map((pattern) => {
    const isMeant = matcherOf(pattern);
    if (names.some(isMeant)) return isMeant;
    throw new Error(
      `[core] keep names '${pattern}', which is no layer with weights. Nearest are: ${nearest(pattern, names).join(', ')}`,
    );
  });
  const left = layers.filter(({ path }) => !stays.some((isMeant) => isMeant(path)));
  if (kernelsOf(left).length > 0) return left;
  throw new Error(`[core] there are no weights to prune${keep.length > 0 ? ': keep names them all' : ''}`);
}
