import {
  analyze,
  type CalibrationData,
  type HiddenLayer,
  keptLayers,
  removableLayers,
  removeLayer,
} from '@espalier/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { withCalibration } from './calibration.ts';
import { disposeModel } from './dispose.ts';
import { type Examples, evaluate } from './evaluate.ts';
import type { LayerEvent } from './record.ts';
import type { TrainingData } from './train-options.ts';

/** What `removeLayers` needs. */
export interface RemoveLayersOptions {
  /** How much accuracy (0 to 1), on the validation examples, all removals together may cost. */
  readonly maxLoss: number;
  /** Which layers may go, by their names; what goes along with them counts, too. By default all that can. */
  readonly layers?: readonly string[];
  /** Which layers stay, as for `plan`: names or globs. */
  readonly keep?: readonly string[];
  /** What stand-ins are fitted to. By default the first 2,000 training examples. */
  readonly calibration?: CalibrationData;
  /** Trains each model a little before it is measured; without it none is trained. */
  readonly fineTune?: (model: LayersModel) => Promise<unknown>;
  /** Told of every layer that was tried, a round at a time. */
  readonly onEvent?: (event: LayerEvent) => void | Promise<void>;
}

/** What the search leaves. */
export interface RemoveLayersResult {
  /** The given model, or one with fewer layers. */
  readonly model: LayersModel;
  readonly events: readonly LayerEvent[];
}

/** A model without one layer more. */
interface Candidate {
  readonly model: LayersModel;
  readonly event: Omit<LayerEvent, 'taken'>;
}

/**
 * Removes whole hidden layers while accuracy on the validation examples stays within `maxLoss` of what it was. Each
 * round tries the model without each of its layers; the layer that costs least goes, and of two that cost the same
 * the one that leaves fewer parameters. The given model is not changed, and models in between are disposed.
 *
 * @throws if there are no validation examples, an option makes no sense, or the model is not compiled.
 */
export async function removeLayers(
  model: LayersModel,
  data: TrainingData,
  options: RemoveLayersOptions,
): Promise<RemoveLayersResult> {
  const { maxLoss, onEvent } = options;
  const { validation } = data;
  if (!validation)
    throw new Error('[trainer] removeLayers measures on validation examples: give data.validation');
  checkOptions(model, options);
  const { accuracy: baseline } = await evaluate(model, validation);
  const events: LayerEvent[] = [];
  let current = model;
  try {
    for (let round = 1; ; round++) {
      const { best, tried } = await without(current, { ...data, validation }, options, { round, baseline });
      const isTaken = best !== undefined && baseline - best.event.accuracy <= maxLoss;
      const left = isTaken ? current : best?.model;
      if (left && left !== model) disposeModel(left);
      if (isTaken) current = best.model;
      for (const event of tried) {
        events.push({ ...event, taken: isTaken && event === best.event });
        await onEvent?.(events.at(-1)!);
      }
      if (!isTaken) return { model: current, events };
    }
  } catch (error) {
    if (current !== model) disposeModel(current);
    throw error;
  }
}

/** Tries a model without each of its layers, and keeps the best. */
async function without(
  current: LayersModel,
  { train, validation }: Required<TrainingData>,
  { layers, keep, calibration, fineTune }: RemoveLayersOptions,
  search: Pick<LayerEvent, 'round' | 'baseline'>,
): Promise<{ best: Candidate | undefined; tried: Candidate['event'][] }> {
  const before = analyze(current).cost;
  const tried: Candidate['event'][] = [];
  let best: Candidate | undefined;
  const choose = (candidate: Candidate) => {
    const [better, worse] = best && !isBetter(candidate, best) ? [best, candidate] : [candidate, best];
    best = better;
    if (worse) disposeModel(worse.model);
  };
  try {
    for (const { layer, goes } of candidatesOf(current, layers, keep)) {
      const model = await withCalibration(calibration, train, (data) =>
        removeLayer(current, { layer, data }),
      );
      const accuracy = await measured(model, validation, fineTune);
      tried.push({ type: 'layer', ...search, layer, goes, accuracy, before, after: analyze(model).cost });
      choose({ model, event: tried.at(-1)! });
    }
  } catch (error) {
    if (best) disposeModel(best.model);
    throw error;
  }
  return { best, tried };
}

const isBetter = ({ event: a }: Candidate, { event: b }: Candidate): boolean =>
  a.accuracy === b.accuracy ? a.after.params < b.after.params : a.accuracy > b.accuracy;

/** The layers that can go, and may; several of one branch, which goes with each of them, are one. */
function candidatesOf(
  model: LayersModel,
  layers: readonly string[] | undefined,
  keep: readonly string[] = [],
): HiddenLayer[] {
  const kept = new Set(keptLayers(analyze(model), keep));
  const found = new Map<string, HiddenLayer>();
  for (const one of removableLayers(model)) {
    const key = [...one.goes].sort().join();
    const isMeant = (layers?.includes(one.layer) ?? true) && !one.goes.some((layer) => kept.has(layer));
    if (one.removable && isMeant && !found.has(key)) found.set(key, one);
  }
  return [...found.values()];
}

async function measured(
  model: LayersModel,
  validation: Examples,
  fineTune: RemoveLayersOptions['fineTune'],
): Promise<number> {
  try {
    await fineTune?.(model);
    const { accuracy } = await evaluate(model, validation);
    return accuracy;
  } catch (error) {
    disposeModel(model);
    throw error;
  }
}

function checkOptions(model: LayersModel, { maxLoss, layers = [], keep = [] }: RemoveLayersOptions): void {
  keptLayers(analyze(model), keep);
  if (!(maxLoss >= 0 && maxLoss <= 1)) {
    throw new Error(`[trainer] maxLoss must be a share of the accuracy, 0 to 1, got ${maxLoss}`);
  }
  const there = removableLayers(model);
  for (const name of layers) {
    const found = there.find(({ layer }) => layer === name);
    if (found?.removable) continue;
    const names = there.flatMap(({ layer, removable }) => (removable ? [layer] : []));
    throw new Error(
      `[trainer] layers names '${name}', which can't go (${found?.reason ?? 'there is none of that name'}): of this ` +
        `model can go ${names.join(', ') || 'none'}`,
    );
  }
}
