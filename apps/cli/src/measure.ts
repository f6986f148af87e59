import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saveModel } from '@espalier/engine';
import { type EvaluateEvent, type Examples, evaluate, measureLatency } from '@espalier/trainer';
import { slice } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/** The rows of a forward pass that is timed. */
const LATENCY_ROWS = 100;

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
  const batch = slice(examples.x, 0, Math.min(LATENCY_ROWS, examples.x.shape[0]!));
  try {
    const latency = await measureLatency(model, batch);
    return { ...(await measure(model, examples, about)), latency, disk: await diskSize(model) };
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
