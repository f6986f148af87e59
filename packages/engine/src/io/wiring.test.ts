import '@tensorflow/tfjs-backend-cpu';
import { input, layers, model as modelOf, type SymbolicTensor, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { wiringFault } from './wiring.ts';

interface Entry {
  name: string;
  config: { name: string; layers?: Entry[] };
  inbound_nodes: unknown[][][];
}
interface Topology {
  config: { layers: Entry[]; output_layers: unknown[][] };
}

type Layer = ReturnType<typeof layers.dense>;
const on = (layer: unknown, tensor: SymbolicTensor): SymbolicTensor =>
  (layer as Layer).apply(tensor) as SymbolicTensor;

/** A layer and two models are called, some of them again and on what they themselves put out. */
function topology(): Topology {
  const inside = input({ shape: [4] });
  const within = on(layers.dense({ units: 4, name: 'within' }), inside);
  const inner = modelOf({ inputs: inside, outputs: within, name: 'inner' });
  const row = sequential({
    layers: [layers.dense({ units: 4, inputShape: [4], name: 'in_row' })],
    name: 'row',
  });
  const source = input({ shape: [4], name: 'source' });
  const twice = layers.dense({ units: 4, name: 'twice' });
  const again = on(twice, on(layers.reLU({ name: 'act' }), on(twice, source)));
  const outputs = on(row, on(inner, on(inner, again)));
  return modelOf({ inputs: source, outputs }).toJSON(null, false) as unknown as Topology;
}

const entry = ({ config }: Topology, name: string): Entry => config.layers.find((one) => one.name === name)!;

describe('wiringFault', () => {
  it('finds none in a model with shared layers and models within', () => {
    expect(wiringFault(topology())).toBeUndefined();
    expect(wiringFault({ modelTopology: null })).toBeUndefined();
  });

  it.each<[string, (model: Topology) => void, string]>([
    [
      'a call without inputs',
      (model) => entry(model, 'act').inbound_nodes.splice(0, 1, []),
      'layer twice reads call 0 of layer act, which is never made',
    ],
    [
      'a layer that is gone',
      (model) => model.config.layers.splice(model.config.layers.indexOf(entry(model, 'act')), 1),
      'layer twice reads call 0 of layer act, which is never made',
    ],
    [
      'a circle',
      (model) => entry(model, 'twice').inbound_nodes.splice(0, 1, [['act', 0, 0, {}]]),
      'which is never made',
    ],
    [
      'a layer within a model',
      (model) => entry(model, 'inner').config.layers!.shift(),
      'layer within reads call 0 of layer',
    ],
    [
      'a name twice',
      ({ config }) => config.layers.push(config.layers[1]!),
      'two layers of a model are named twice',
    ],
    [
      'two names of one layer',
      (model) => Object.assign(entry(model, 'act').config, { name: 'other' }),
      'layer act is named other in its config',
    ],
    [
      'an output twice',
      ({ config }) => config.output_layers.push(config.output_layers[0]!),
      'the model puts out ["row",1,0] twice',
    ],
    [
      'what is no list of calls',
      (model) => Object.assign(entry(model, 'act'), { inbound_nodes: 3 }),
      'lacks a name, a config or inbound_nodes',
    ],
  ])('names %s, at which TensorFlow.js would wait for ever or fail', (_, change, says) => {
    const model = topology();
    change(model);
    expect(wiringFault(model)).toContain(says);
  });
});
