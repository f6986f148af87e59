import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { headline, parseRecord, renderHtml, renderTerminal, summarize } from '@espalier/report';
import type { EpochEvent, EvaluateEvent, RunEvent, RunRecord } from '@espalier/trainer';
import { writeWhole } from './files.ts';
import type { Ui } from './ui.ts';

export const readRecord = async (file: string): Promise<RunRecord> =>
  parseRecord(await readFile(file, 'utf8'));

/** The epochs in which a model was trained, if its run's record lies beside it. */
export async function epochsBeside(model: string): Promise<EpochEvent[]> {
  const record = await readRecord(join(dirname(model), 'record.jsonl')).catch((): RunRecord => []);
  return record.filter((event): event is EpochEvent => event.type === 'epoch');
}

export const writeReport = (folder: string, record: RunRecord): Promise<void> =>
  writeWhole(join(folder, 'report.html'), renderHtml(record));

/** A run for the terminal. */
export const recordText = (record: RunRecord, { color, width }: Ui): string =>
  renderTerminal(record, { color, width });

/** What every command that runs something says of it in JSON. */
export function recordJson(record: RunRecord): Record<string, unknown> {
  const { start, end, noises, attempts, layerTrials, sparsity } = summarize(record);
  return {
    headline: headline(summarize(record)),
    ...(start && { seed: start.seed, engine: start.engine, dataset: start.dataset }),
    epochs: record.filter(({ type }) => type === 'epoch').length,
    cost: { before: start?.cost, after: end?.cost },
    evaluations: record
      .filter((event): event is EvaluateEvent => event.type === 'evaluate')
      .map(evaluationJson),
    ...(noises.length > 0 && { noise: noises.map(untyped) }),
    ...(attempts.length > 0 && { attempts: attempts.map(untyped) }),
    ...(sparsity && { weights: untyped(sparsity) }),
    ...(layerTrials.length > 0 && { layersTried: layerTrials.map(untyped) }),
    notes: record.flatMap((event) => (event.type === 'prune' ? event.notes : [])),
    ...(end?.stopped !== undefined && { stopped: end.stopped }),
  };
}

const untyped = ({ type: _, ...event }: RunEvent): Record<string, unknown> => event;

export const evaluationJson = (event: EvaluateEvent): Record<string, unknown> => untyped(event);
