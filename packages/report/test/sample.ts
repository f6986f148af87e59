/** A realistic record for tests and screenshots, made without training anything. */
import type { CostRecord, EvaluateEvent, LayerRecord, RunEvent, RunRecord } from '@espalier/trainer';

/** A small seeded generator (mulberry32): the same record on every machine. */
const random = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
};

const convNet = (
  filters: readonly [number, number, number],
  hidden: number,
  classes: number,
): LayerRecord[] => {
  const [a, b, c] = filters;
  const conv = (name: string, size: number, from: number, to: number): LayerRecord => ({
    name,
    className: 'Conv2D',
    outputShape: [null, size, size, to],
    params: 9 * from * to + to,
    macs: 9 * from * to * size * size,
  });
  const plain = (
    name: string,
    className: string,
    outputShape: (number | null)[],
    params = 0,
  ): LayerRecord => ({
    name,
    className,
    outputShape,
    params,
    macs: 0,
  });
  const dense = (name: string, from: number, to: number): LayerRecord => ({
    name,
    className: 'Dense',
    outputShape: [null, to],
    params: from * to + to,
    macs: from * to,
  });
  return [
    conv('conv2d_1', 28, 1, a),
    plain('batch_normalization_1', 'BatchNormalization', [null, 28, 28, a], 4 * a),
    conv('conv2d_2', 28, a, b),
    plain('max_pooling2d_1', 'MaxPooling2D', [null, 14, 14, b]),
    conv('conv2d_3', 14, b, c),
    plain('max_pooling2d_2', 'MaxPooling2D', [null, 7, 7, c]),
    plain('flatten', 'Flatten', [null, 49 * c]),
    dense('dense_1', 49 * c, hidden),
    plain('dropout', 'Dropout', [null, hidden]),
    dense('output', hidden, classes),
  ];
};

const costOf = (layers: readonly LayerRecord[]): CostRecord => {
  const params = layers.reduce((sum, layer) => sum + layer.params, 0);
  return { params, macs: layers.reduce((sum, layer) => sum + layer.macs, 0), bytes: 4 * params };
};

const confusionOf = (classes: number, rows: number, accuracy: number, seed: number): number[][] => {
  const next = random(seed);
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  // Errors cluster: each class has one that it is mostly taken for.
  const rivals = Array.from({ length: classes }, () => Math.floor(next() * classes));
  for (let row = 0; row < rows; row++) {
    const actual = Math.floor(next() * classes);
    const wrong = next() < 0.6 ? rivals[actual]! : Math.floor(next() * classes);
    confusion[actual]![next() < accuracy ? actual : wrong]! += 1;
  }
  return confusion;
};

const accuracyOf = (confusion: readonly (readonly number[])[]): number => {
  const total = confusion.flat().reduce((sum, value) => sum + value, 0);
  return confusion.reduce((sum, row, index) => sum + row[index]!, 0) / total;
};

export interface SampleArgs {
  readonly classes?: number;
  readonly epochs?: number;
  /** Epochs after which units go. */
  readonly prunings?: readonly number[];
  readonly seed?: number;
}

/** A run of a small convolutional network, pruned in the middle of its training. */
export const sampleRecord = (args: SampleArgs = {}): RunRecord => {
  const { classes = 10, epochs = 30, prunings = [10, 15, 20], seed = 1 } = args;
  const next = random(seed);
  const names = Array.from({ length: classes }, (_, i) =>
    classes > 10 ? String.fromCharCode(65 + i) : String(i),
  );
  const steps = prunings.length;
  const shapeAt = (step: number): LayerRecord[] => {
    const kept = 1 - (0.52 * step) / Math.max(1, steps);
    const keep = (units: number, share: number): number => Math.round(units * (1 - (1 - kept) * share));
    return convNet([keep(16, 0.6), keep(32, 0.9), keep(64, 1.1)], keep(208, 1.1), classes);
  };
  const evaluate = (stage: string, accuracy: number, milliseconds: number, bytes: number): EvaluateEvent => {
    const confusion = confusionOf(classes, classes * 180, accuracy, seed + Math.round(accuracy * 1e4));
    return {
      type: 'evaluate',
      stage,
      split: 'test',
      loss: (1 - accuracy) * 3.1,
      accuracy: accuracyOf(confusion),
      confusion,
      latency: { milliseconds, batch: 32 },
      disk: { bytes: bytes + 8412, gzipped: Math.round(bytes * 0.926) + 2210 },
    };
  };
  const before = shapeAt(0);
  const events: RunEvent[] = [
    {
      type: 'start',
      time: '2026-03-02T09:14:05Z',
      title: classes > 10 ? 'Letters, pruned by angle' : 'Glyphs, pruned while training',
      seed,
      engine: 'wasm (SIMD, 4 threads)',
      dataset: {
        name: classes > 10 ? 'letter-recognition' : 'glyphs',
        classes: names,
        rows: { train: 6000, validation: 1000, test: classes * 180 },
        note: 'Generated digits, embedded in the package; stands in for MNIST.',
      },
      optimizer: 'adam, learning rate 0.001',
      layers: before,
      cost: costOf(before),
    },
  ];
  let shock = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    shock *= 0.55;
    const fit = Math.exp(-epoch / 5);
    const accuracy = Math.min(0.999, 0.992 - 0.5 * fit - shock * 0.4 + (next() - 0.5) * 0.004);
    events.push({
      type: 'epoch',
      epoch,
      loss: 0.021 + 1.6 * fit + shock + next() * 0.01,
      accuracy,
      valLoss: 0.062 + 1.5 * fit + shock * 1.2 + next() * 0.03,
      valAccuracy: Math.min(0.995, accuracy - 0.008 - next() * 0.006),
      seconds: 1.1 + 1.9 * 0.72 ** prunings.filter((at) => at < epoch).length + next() * 0.1,
    });
    const step = prunings.indexOf(epoch);
    if (step < 0) continue;
    const [from, to] = [shapeAt(step), shapeAt(step + 1)];
    if (step === 0) events.push(evaluate('unpruned', 0.983, 12.34, costOf(before).bytes));
    shock = 0.25;
    events.push({
      type: 'prune',
      epoch,
      pruner: 'angle',
      compensation: 'add',
      groups: ['conv2d_1', 'conv2d_2', 'conv2d_3', 'dense_1'].map((id) => {
        const units = (layers: LayerRecord[]): number =>
          layers.find(({ name }) => name === id)!.outputShape.at(-1)!;
        return {
          id,
          kind: id.startsWith('conv') ? 'filter' : 'neuron',
          before: units(from),
          after: units(to),
        };
      }),
      before: costOf(from),
      after: costOf(to),
      notes: step === 0 ? ['output: frozen, it is the output of the model.'] : [],
    });
    if (step === steps - 1) events.push(evaluate('pruned', 0.941, 6.51, costOf(to).bytes));
  }
  const after = shapeAt(steps);
  events.push(evaluate(steps > 0 ? 'fine-tuned' : 'trained', 0.979, 6.48, costOf(after).bytes));
  for (const [series, knee] of [
    ['angle + add', 190],
    ['sensitivity + mean', 165],
    ['badness + mean', 150],
    ['random', 70],
  ] as const) {
    for (let removed = 0; removed <= 240; removed += 16) {
      const accuracy = 0.1 + 0.883 / (1 + Math.exp((removed - knee) / 16)) - next() * 0.006;
      events.push({ type: 'sweep', split: 'test', series, units: 320, removed, accuracy });
    }
  }
  events.push({
    type: 'end',
    time: '2026-03-02T09:15:31Z',
    seconds: 86.2,
    layers: after,
    cost: costOf(after),
  });
  return events;
};
