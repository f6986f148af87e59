import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Part } from '@espalier/datasets';
import { saveModel } from '@espalier/engine';
import { type Levels, rangeOf } from '@espalier/noise';
import {
  type EvaluateEvent,
  type Examples,
  evaluate,
  measureLatency,
  type NoiseEvent,
  noiseCurves,
} from '@espalier/trainer';
import { slice } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/** The rows of a forward pass that is timed. */
const LATENCY_ROWS = 100;
/** At most so many rounds; after a few, no more than so many milliseconds. */
const LATENCY_ROUNDS = { least: 3, most: 30, milliseconds: 2000 };

/** Measures a compiled model on one part of the data. */
export async function measure(
  model: LayersModel,
  examples: Examples,
  { stage, split }: Pick<EvaluateEvent, 'stage' | 'split'>,
): Promise<EvaluateEvent> {
  return { type: 'evaluate', stage, split, ...(await evaluate(model, examples)) };
}

/** The same with the time of a forward pass and the size on disk. */
export async function measureAll(
  model: LayersModel,
  examples: Examples,
  about: Pick<EvaluateEvent, 'stage' | 'split'>,
): Promise<EvaluateEvent> {
  const [latency] = await measureLatencies([model], examples);
  return { ...(await measure(model, examples, about)), latency: latency!, disk: await diskSize(model) };
}

/** What {@link measureNoise} takes. */
interface NoiseArgs extends Pick<NoiseEvent, 'split'> {
  /** Nothing is measured where none are asked for. */
  readonly levels: Levels | undefined;
  /** The training rows: noise is in shares of their range. */
  readonly train: Part;
}

/** Accuracy against noise on the inputs: of each compiled model, by stage, on the same noise. */
export async function measureNoise(
  models: Readonly<Record<string, LayersModel>>,
  examples: Examples,
  { levels, train, split }: NoiseArgs,
): Promise<NoiseEvent[]> {
  if (!levels) return [];
  const range = rangeOf(train.x, examples.x.shape.slice(1));
  const curves = await noiseCurves(Object.values(models), examples, { levels, range });
  return Object.keys(models).flatMap((stage, i) =>
    curves[i]!.map((curve): NoiseEvent => ({ type: 'noise', stage, split, ...curve })),
  );
}

type Latency = NonNullable<EvaluateEvent['latency']>;

/**
 * The times of a forward pass of each model: its best of a few rounds, as other programs only ever slow it
 * down. The models take turns, so that a busy moment is nobody's alone.
 */
export async function measureLatencies(
  models: readonly LayersModel[],
  { x }: Examples,
): Promise<readonly Latency[]> {
  const batch = slice(x, 0, Math.min(LATENCY_ROWS, x.shape[0]!));
  const best = new Map<LayersModel, Latency>();
  try {
    const { least, most, milliseconds } = LATENCY_ROUNDS;
    const start = performance.now();
    const isEnough = (round: number): boolean =>
      round >= most || (round >= least && performance.now() - start > milliseconds);
    for (let round = 0; !isEnough(round); round++) {
      for (const model of models) {
        const latency = await measureLatency(model, batch, { repeats: 3 });
        const before = best.get(model);
        if (!before || latency.milliseconds < before.milliseconds) best.set(model, latency);
      }
    }
    return models.map((model) => best.get(model)!);
  } finally {
    batch.dispose();
  }
}

/** As `saveModel` writes it, whatever file it came from. */
async function diskSize(model: LayersModel): Promise<NonNullable<EvaluateEvent['disk']>> {
  const folder = await mkdtemp(join(tmpdir(), 'espalier-'));
  try {
    const { bytes, gzipped } = await saveModel(model, join(folder, 'model'));
    return { bytes, gzipped };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What was measured, on one line. */
export const accuracyLine = ({ stage, split, accuracy }: EvaluateEvent): string =>
  `${stage}: ${split} accuracy ${(accuracy * 100).toFixed(2)}%`;
