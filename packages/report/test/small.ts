/** Hand-written events whose arithmetic can be checked by eye. */
import type {
  AttemptEvent,
  CostRecord,
  EvaluateEvent,
  LayerEvent,
  NoiseEvent,
  PruneEvent,
  RunEvent,
} from '@espalier/trainer';

const cost = (params: number): CostRecord => ({ params, macs: params * 2, bytes: params * 4 });

export const start: RunEvent = {
  type: 'start',
  time: '2026-03-02T09:14:05.120Z',
  title: 'Small',
  seed: 7,
  engine: 'cpu',
  dataset: {
    name: 'xor',
    classes: ['no', 'yes'],
    rows: { train: 8, validation: 4, test: 10 },
    note: 'Made by hand.',
  },
  optimizer: 'sgd',
  layers: [
    { name: 'hidden', className: 'Dense', outputShape: [null, 320], params: 960, macs: 640 },
    { name: 'output', className: 'Dense', outputShape: [null, 2], params: 40, macs: 40 },
  ],
  cost: cost(1000),
};

export const epochs: readonly RunEvent[] = [1, 2, 3].map((epoch) => ({
  type: 'epoch',
  epoch,
  loss: 1 / epoch,
  accuracy: 0.5 + epoch / 10,
  valLoss: 1.5 / epoch,
  valAccuracy: 0.4 + epoch / 10,
  seconds: 4 - epoch,
}));

export const evaluation = (stage: string, right: number, milliseconds: number): EvaluateEvent => ({
  type: 'evaluate',
  stage,
  split: 'test',
  loss: 0.25,
  accuracy: right / 1000,
  confusion: [
    [right - 400, 1000 - right],
    [0, 400],
  ],
  latency: { milliseconds, batch: 32 },
  disk: { bytes: 4200, gzipped: 3900 },
});

export const pruning: PruneEvent = {
  type: 'prune',
  epoch: 2,
  pruner: 'angle',
  compensation: 'add',
  groups: [
    { id: 'hidden', kind: 'neuron', before: 300, after: 152 },
    { id: 'other', kind: 'neuron', before: 20, after: 10 },
  ],
  before: cost(1000),
  after: cost(390),
  notes: ['output: frozen'],
};

export const sweep: readonly RunEvent[] = ['angle', 'random'].flatMap((series) =>
  [0, 10, 20].map((removed) => ({
    type: 'sweep' as const,
    split: 'test' as const,
    series,
    units: 320,
    removed,
    accuracy: 0.9 - removed / 100,
  })),
);

/** The whole network and half of it, with noise of two kinds. */
export const noises: readonly NoiseEvent[] = (
  [
    ['unpruned', 'gaussian', [0.98, 0.96, 0.9]],
    ['unpruned', 'shift', [0.98, 0.9, 0.6]],
    ['fine-tuned', 'gaussian', [0.97, 0.94, 0.86]],
    ['fine-tuned', 'shift', [0.97, 0.88, 0.5]],
  ] as const
).map(([stage, noise, accuracies]) => ({
  type: 'noise',
  split: 'test',
  stage,
  noise,
  points: accuracies.map((accuracy, i) => ({
    level: noise === 'shift' ? 2 * i : i / 10,
    accuracy,
    loss: 1 - accuracy,
  })),
}));

export const end: RunEvent = {
  type: 'end',
  time: '2026-03-02T09:15:00Z',
  seconds: 55,
  layers: [
    { name: 'hidden', className: 'Dense', outputShape: [null, 152], params: 370, macs: 304 },
    { name: 'selection', className: 'Select', outputShape: [null, 150], params: 0, macs: 0 },
    { name: 'output', className: 'Dense', outputShape: [null, 2], params: 20, macs: 20 },
  ],
  cost: cost(390),
};

export const whole: readonly RunEvent[] = [
  start,
  epochs[0]!,
  epochs[1]!,
  evaluation('unpruned', 983, 19),
  pruning,
  epochs[2]!,
  evaluation('fine-tuned', 979, 10),
  ...sweep,
  end,
];

/** A search that went from 64 units to 56, which hold. */
export const attempts: readonly AttemptEvent[] = (
  [
    [64, 940, 930],
    [56, 936, 932],
    [48, 920, 910],
  ] as const
).map(([units, first, second], attempt) => ({
  type: 'attempt',
  attempt,
  groups: [
    { id: 'hidden', units: units - 10, spare: 4 },
    { id: 'other', units: 10, spare: 0 },
  ],
  trials: [first, second].map((right, seed) => ({ seed, epochs: 20, accuracy: right / 1000 })),
  accuracy: (first + second) / 2000,
  target: 0.93,
  held: units >= 56,
  seconds: 8,
}));

/** Two layers tried; the one that costs less goes, and the other costs too much then. */
export const trials: readonly LayerEvent[] = (
  [
    [1, 'first', 0.9, false],
    [1, 'second', 0.975, true],
    [2, 'first', 0.8, false],
  ] as const
).map(([round, layer, accuracy, taken]) => ({
  type: 'layer',
  round,
  layer,
  goes: layer === 'second' ? ['second', 'second_norm'] : ['first'],
  baseline: 0.98,
  accuracy,
  before: cost(round === 1 ? 1000 : 600),
  after: cost(round === 1 && layer === 'second' ? 600 : 500),
  taken,
}));

export const searched: readonly RunEvent[] = [
  start,
  attempts[0]!,
  evaluation('full size', 935, 12),
  ...attempts.slice(1),
  ...epochs,
  evaluation('smallest that held', 934, 10),
  end,
];
