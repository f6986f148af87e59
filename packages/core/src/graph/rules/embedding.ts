import { spread } from '../labels.ts';
import { type LayerRule, registerLayer } from '../rule.ts';
import { makes } from './shared.ts';

/** A row of the table [vocabulary, units] for each number that comes in; the vocabulary stays. */
const embedding: LayerRule = {
  trace({ layer, inputs, outputShapes, make, freeze }) {
    const shape = outputShapes[0]!;
    const units = make(shape.at(-1)!);
    freeze(inputs[0]!, `${layer.name} looks words up by its value`);
    return {
      outputs: [spread(units, shape, shape.length - 1)],
      weights: { embeddings: { axes: [null, makes(units)] } },
      config: (kept) => ({ outputDim: kept(units).length }),
    };
  },
};

registerLayer('Embedding', embedding);
