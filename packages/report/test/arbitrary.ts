/** Any valid run record, for property tests. */
import { noiseKinds } from '@espalier/noise';
import type { CostRecord, LayerRecord, RunEvent, RunRecord } from '@espalier/trainer';
import fc from 'fast-check';

const count: fc.Arbitrary<number> = fc.nat({ max: 1e9 });
// Short texts, among them those that have no good reason to be there.
const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 12, unit: 'grapheme' }),
  fc.constantFrom('<script>alert(1)</script>', '"><b>', '\u001b[31mred', '__proto__', '&amp;'),
);
const time = fc
  .date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
  .map((date) => date.toISOString());
const measured = fc.oneof(fc.double({ noDefaultInfinity: true }), fc.constant(Number.NaN));
const fraction = fc.double({ min: 0, max: 1, noNaN: true });
const seconds = fc.double({ min: 0, max: 1e6, noNaN: true });
const cost: fc.Arbitrary<CostRecord> = fc.record({ params: count, macs: count, bytes: count });
const layers: fc.Arbitrary<LayerRecord[]> = fc.array(
  fc.record({
    name: text,
    className: text,
    outputShape: fc.array(fc.option(fc.nat({ max: 512 })), { maxLength: 4 }),
    params: count,
    macs: count,
  }),
  { maxLength: 4 },
);
const rows = fc.record({ train: count, validation: count, test: count });
const named = fc.record({ name: text, classes: fc.array(text, { maxLength: 4 }), rows });
const dataset = fc.oneof(
  named,
  fc.record({ name: text, classes: fc.array(text, { maxLength: 4 }), rows, note: text }),
);

const event: fc.Arbitrary<RunEvent> = fc.oneof(
  fc.record(
    {
      type: fc.constant('start' as const),
      time,
      title: text,
      seed: fc.nat(),
      engine: text,
      dataset,
      optimizer: text,
      layers,
      cost,
      noise: fc.array(
        fc.record({
          kind: fc.constantFrom(...noiseKinds),
          level: fc.double({ min: 0, max: 99, noNaN: true }),
        }),
      ),
      teacher: text,
    },
    { requiredKeys: ['type', 'time', 'title', 'seed', 'engine', 'dataset', 'optimizer', 'layers', 'cost'] },
  ),
  fc.record(
    {
      type: fc.constant('epoch' as const),
      epoch: fc.integer({ min: 1, max: 60 }),
      loss: measured,
      accuracy: fraction,
      valLoss: measured,
      valAccuracy: fraction,
      seconds,
    },
    { requiredKeys: ['type', 'epoch', 'loss', 'seconds'] },
  ),
  fc.record({
    type: fc.constant('prune' as const),
    epoch: fc.nat({ max: 60 }),
    pruner: text,
    compensation: text,
    groups: fc.array(fc.record({ id: text, kind: text, before: count, after: count }), { maxLength: 3 }),
    before: cost,
    after: cost,
    notes: fc.array(text, { maxLength: 2 }),
  }),
  fc.record({
    type: fc.constant('weights' as const),
    epoch: fc.nat({ max: 60 }),
    pruner: text,
    kernels: fc.array(fc.record({ layer: text, weight: text, weights: count, zeros: count }), {
      maxLength: 3,
    }),
  }),
  fc.record(
    {
      type: fc.constant('evaluate' as const),
      stage: text,
      split: fc.constantFrom('train' as const, 'validation' as const, 'test' as const),
      loss: measured,
      accuracy: fraction,
      confusion: fc.array(fc.array(fc.nat({ max: 300 }), { maxLength: 4 }), { maxLength: 4 }),
      latency: fc.record({ milliseconds: seconds, batch: fc.integer({ min: 1, max: 64 }) }),
      disk: fc.record({ bytes: count, gzipped: count }),
    },
    { requiredKeys: ['type', 'stage', 'split', 'loss', 'accuracy', 'confusion'] },
  ),
  fc.record({
    type: fc.constant('noise' as const),
    stage: text,
    split: fc.constantFrom('train' as const, 'validation' as const, 'test' as const),
    noise: fc.constantFrom('gaussian' as const, 'shift' as const),
    points: fc.array(
      fc.record({ level: fc.double({ min: 0, max: 100, noNaN: true }), accuracy: fraction, loss: measured }),
      { maxLength: 4 },
    ),
  }),
  fc.record({
    type: fc.constant('sweep' as const),
    split: fc.constantFrom('validation' as const, 'test' as const),
    series: text,
    units: count,
    removed: count,
    accuracy: fraction,
  }),
  fc.record({
    type: fc.constant('attempt' as const),
    attempt: fc.nat({ max: 3 }),
    groups: fc.array(fc.record({ id: text, units: fc.integer({ min: 1, max: 512 }) }), { maxLength: 3 }),
    trials: fc.array(fc.record({ seed: fc.nat(), epochs: fc.nat({ max: 99 }), accuracy: fraction }), {
      maxLength: 3,
    }),
    accuracy: fraction,
    target: fc.double({ min: -1, max: 1, noNaN: true }),
    held: fc.boolean(),
    seconds,
  }),
  fc.record({
    type: fc.constant('layer' as const),
    round: fc.integer({ min: 1, max: 9 }),
    layer: text,
    goes: fc.array(text, { maxLength: 3 }),
    baseline: fraction,
    accuracy: fraction,
    before: cost,
    after: cost,
    taken: fc.boolean(),
  }),
  fc.record({ type: fc.constant('end' as const), time, seconds, layers, cost, stopped: text }),
);

/** Any events in any order: what a report has to live with. */
export const anyRecord: fc.Arbitrary<RunRecord> = fc.array(event, { maxLength: 12 });
