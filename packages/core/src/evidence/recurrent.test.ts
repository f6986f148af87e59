import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type RNN,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { analyze } from '../graph/analyze.ts';
import type { Layer } from '../graph/rule.ts';
import { plan } from '../plan/plan.ts';
import type { ScorePruner } from '../pruner.ts';
import { examples, liven } from '../test-models/build.ts';
import { scores } from '../test-models/pruners.ts';

type Rows = number[][];
const fast = { recurrentInitializer: 'glorotUniform' } as const;
const [PATTERNS, STEPS, UNITS] = [2, 3, 2];

interface Parts {
  readonly cell?: Layer;
  readonly forwardLayer?: { readonly cell: Layer };
  readonly backwardLayer?: { readonly cell: Layer };
}

/** A recurrent layer over three steps, and two outputs behind it. */
function behind(layer: unknown): LayersModel {
  const source = input({ shape: [STEPS, 2] });
  let tensor = (layer as Layer).apply(source) as SymbolicTensor;
  if (tensor.shape.length > 2) tensor = layers.globalAveragePooling1d({}).apply(tensor) as SymbolicTensor;
  const outputs = layers.dense({ units: 2, activation: 'tanh', name: 'out' }).apply(tensor) as SymbolicTensor;
  const model = modelOf({ inputs: source, outputs });
  liven(model, 4);
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  return model;
}

/** What a pruner sees of the first group. */
async function seenOf(model: LayersModel, x: tf.Tensor, y: tf.Tensor) {
  const seen: { [field: string]: Rows } = {};
  const pruner: ScorePruner = {
    ...scores(),
    needs: ['activations', 'errors'],
    onBatchEnd({ activations, errors, incoming, outgoing }, state) {
      Object.entries({ activations, errors, incoming, outgoing }).forEach(([field, tensor]) => {
        seen[field] ??= tensor.arraySync() as Rows;
      });
      return state;
    },
  };
  const [first] = analyze(model).groups;
  await plan(model, { pruner, budget: { count: 0 }, scope: [first!.id], data: { x, y } });
  return seen;
}

/** One pattern's loss with one unit's state nudged after one step, and what the state was. */
function nudged(
  model: LayersModel,
  cell: Layer,
  at: readonly number[],
  by: number,
  x: tf.Tensor,
  y: tf.Tensor,
) {
  const [pattern, step, unit] = at as [number, number, number];
  const call = cell.call.bind(cell);
  let [calls, state] = [0, 0];
  cell.call = (inputs, kwargs) => {
    const outputs = call(inputs, kwargs) as tf.Tensor[];
    if (calls++ !== step) return outputs;
    const [first] = outputs as [tf.Tensor2D];
    const buffer = first.bufferSync();
    state = buffer.get(pattern, unit);
    const moved = tf.tensor2d(Float32Array.from(first.dataSync()), first.shape);
    const nudge = tf.buffer([first.shape[0], first.shape[1]]);
    nudge.set(by, pattern, unit);
    const other = tf.add(moved, nudge.toTensor());
    return outputs.map((one) => (one === first ? other : one));
  };
  try {
    const loss = tf.tidy(() => {
      const squares = tf.squaredDifference(model.predict(x) as tf.Tensor, y);
      return (tf.mean(squares, 1).arraySync() as number[])[pattern]!;
    });
    return { loss, state };
  } finally {
    Reflect.deleteProperty(cell, 'call');
  }
}

const kinds: Record<string, () => unknown> = {
  'SimpleRNN, its last step': () => layers.simpleRNN({ units: UNITS, name: 'rnn', ...fast }),
  'GRU, all steps': () => layers.gru({ units: UNITS, returnSequences: true, name: 'rnn', ...fast }),
  'LSTM, its last step': () => layers.lstm({ units: UNITS, name: 'rnn', ...fast }),
  'LSTM, all steps': () => layers.lstm({ units: UNITS, returnSequences: true, name: 'rnn', ...fast }),
  'a cell in an RNN': () => layers.rnn({ cell: layers.lstmCell({ units: UNITS, ...fast }), name: 'rnn' }),
  'both directions': () =>
    layers.bidirectional({
      layer: layers.gru({ units: UNITS, name: 'way', ...fast }) as RNN,
      mergeMode: 'concat',
    }),
};

it.each(Object.keys(kinds))('a unit has its state and its error at every step: %s', async (name) => {
  const layer = kinds[name]!() as Parts;
  const model = behind(layer);
  const x = examples(model, PATTERNS, 5)[0]!;
  const y = tf.randomNormal([PATTERNS, 2], 0, 1, 'float32', 6);
  const cells = [layer.cell, layer.forwardLayer?.cell, layer.backwardLayer?.cell].filter(
    (cell) => cell !== undefined,
  );
  const seen = await seenOf(model, x, y);
  expect(seen.activations).toHaveLength(PATTERNS * cells.length * STEPS);
  for (let row = 0; row < seen.activations!.length; row++) {
    const pattern = Math.floor(row / (cells.length * STEPS));
    const cell = cells[Math.floor(row / STEPS) % cells.length]!;
    for (let unit = 0; unit < UNITS; unit++) {
      const at = [pattern, row % STEPS, unit];
      const [more, less] = [1e-2, -1e-2].map((by) => nudged(model, cell, at, by, x, y));
      expect(seen.activations![row]![unit]).toBeCloseTo(more!.state, 5);
      expect(seen.errors![row]![unit], `dE/dh at ${at}`).toBeCloseTo((more!.loss - less!.loss) / 2e-2, 3);
    }
  }
  // at every step, not merely at the last
  expect(Math.abs(seen.errors![0]![0]!)).toBeGreaterThan(1e-4);
});

it('all gates feed a unit, and other units and the next layer read it', async () => {
  const model = behind(layers.lstm({ units: UNITS, name: 'rnn', ...fast }));
  const x = examples(model, PATTERNS, 5)[0]!;
  const { incoming, outgoing } = await seenOf(model, x, tf.zeros([PATTERNS, 2]));
  const [kernel, recurrent] = model
    .getLayer('rnn')
    .getWeights()
    .map((weight) => weight.arraySync() as Rows);
  const [out] = model
    .getLayer('out')
    .getWeights()
    .map((weight) => weight.arraySync() as Rows);
  for (let unit = 0; unit < UNITS; unit++) {
    const columns = [0, 1, 2, 3].map((gate) => gate * UNITS + unit);
    const fed = [...kernel!, ...recurrent!].flatMap((row) => columns.map((column) => row[column]!));
    expect(incoming!.map((row) => row[unit]!)).toEqual(fed);
    expect(outgoing![unit]).toEqual([...recurrent![unit]!, ...out![unit]!]);
  }
});
