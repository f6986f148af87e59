import { noiseKinds } from '@espalier/noise';
import type { RunEvent, RunRecord } from '@espalier/trainer';
import { z } from 'zod';

const count = z.int().nonnegative();
const fraction = z.number().min(0).max(1);
// JSON has no NaN and writes it as null: a loss that diverged must not make the whole record unreadable.
const measured = z.union([z.number(), z.null().transform(() => Number.NaN)], {
  error: 'expected a number, or null where training diverged',
});

const cost = z.object({ params: count, macs: count, bytes: count });
const layer = z.object({
  name: z.string(),
  className: z.string(),
  outputShape: z.array(count.nullable()),
  params: count,
  macs: count,
});
const group = z.object({ id: z.string(), kind: z.string(), before: count, after: count });

const start = z.object({
  type: z.literal('start'),
  time: z.iso.datetime({ offset: true }),
  title: z.string(),
  seed: z.number(),
  engine: z.string(),
  dataset: z.object({
    name: z.string(),
    classes: z.array(z.string()),
    rows: z.object({ train: count, validation: count, test: count }),
    note: z.string().exactOptional(),
  }),
  optimizer: z.string(),
  noise: z.array(z.object({ kind: z.enum(noiseKinds), level: z.number().nonnegative() })).exactOptional(),
  teacher: z.string().exactOptional(),
  layers: z.array(layer),
  cost,
});

const epoch = z.object({
  type: z.literal('epoch'),
  epoch: z.int().positive(),
  loss: measured,
  accuracy: measured.exactOptional(),
  valLoss: measured.exactOptional(),
  valAccuracy: measured.exactOptional(),
  seconds: z.number().nonnegative(),
});

const prune = z.object({
  type: z.literal('prune'),
  epoch: count,
  pruner: z.string(),
  compensation: z.string(),
  groups: z.array(group),
  before: cost,
  after: cost,
  notes: z.array(z.string()),
});

const weights = z.object({
  type: z.literal('weights'),
  epoch: count,
  pruner: z.string(),
  kernels: z.array(z.object({ layer: z.string(), weight: z.string(), weights: count, zeros: count })),
});

const evaluate = z.object({
  type: z.literal('evaluate'),
  stage: z.string(),
  split: z.enum(['train', 'validation', 'test']),
  loss: measured,
  accuracy: fraction,
  confusion: z.array(z.array(count)),
  latency: z.object({ milliseconds: z.number().nonnegative(), batch: z.int().positive() }).exactOptional(),
  disk: z.object({ bytes: count, gzipped: count }).exactOptional(),
});

const sweep = z.object({
  type: z.literal('sweep'),
  split: z.enum(['validation', 'test']),
  series: z.string(),
  units: count,
  removed: count,
  accuracy: fraction,
});

const noise = z.object({
  type: z.literal('noise'),
  stage: z.string(),
  split: z.enum(['train', 'validation', 'test']),
  noise: z.enum(noiseKinds),
  points: z.array(z.object({ level: z.number().nonnegative(), accuracy: fraction, loss: measured })),
});

const attempt = z.object({
  type: z.literal('attempt'),
  attempt: count,
  groups: z.array(z.object({ id: z.string(), units: z.int().positive(), spare: count.exactOptional() })),
  trials: z.array(z.object({ seed: z.number(), epochs: count, accuracy: fraction })),
  accuracy: fraction,
  // a tolerance may be larger than the accuracy
  target: z.number().max(1),
  held: z.boolean(),
  seconds: z.number().nonnegative(),
});

const trial = z.object({
  type: z.literal('layer'),
  round: z.int().positive(),
  layer: z.string(),
  goes: z.array(z.string()),
  baseline: fraction,
  accuracy: fraction,
  before: cost,
  after: cost,
  taken: z.boolean(),
});

const end = z.object({
  type: z.literal('end'),
  time: z.iso.datetime({ offset: true }),
  seconds: z.number().nonnegative(),
  layers: z.array(layer),
  cost,
  stopped: z.string().exactOptional(),
});

// The annotation makes the compiler compare this schema with the trainer's types.
const event: z.ZodType<RunEvent> = z.discriminatedUnion('type', [
  start,
  epoch,
  prune,
  weights,
  evaluate,
  sweep,
  noise,
  attempt,
  trial,
  end,
]);

/**
 * Reads a run record from its JSONL text: one event a line, empty lines skipped. Fields that this version
 * does not know are dropped.
 *
 * @throws Error naming the line and the field where the text is not JSON or not an event.
 */
export const parseRecord = (jsonl: string): RunRecord =>
  jsonl.split('\n').flatMap((text, index) => (text.trim() === '' ? [] : [parseLine(text, index + 1)]));

const parseLine = (text: string, line: number): RunEvent => {
  const result = event.safeParse(parseJson(text, line));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('');
  throw new Error(
    `[report] line ${line}: ${field ? `${field.slice(1)}: ` : ''}${issue?.message ?? 'not an event'}`,
  );
};

const parseJson = (text: string, line: number): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`[report] line ${line}: not JSON: ${(cause as Error).message}`, { cause });
  }
};
