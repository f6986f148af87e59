import { fixed } from '../labels.ts';
import { type LayerRule, registerLayer } from '../rule.ts';

/** Numbers of categories in, one-hot out: nothing of it is a unit. */
const encoding: LayerRule = {
  trace({ layer, inputs, outputShapes, freeze }) {
    freeze(inputs[0]!, `${layer.name} reads its value as a category`);
    return { outputs: outputShapes.map(fixed) };
  },
};

/** TensorFlow.js leaves the batch out of these layers' output shape, so what follows is built for another one. */
const misshapen: LayerRule = {
  trace({ layer, inputs, outputShapes, freeze }) {
    freeze(
      inputs[0]!,
      `TensorFlow.js gives ${layer.name} a wrong output shape: resize the images before the model, or by ` +
        'upSampling2d or pooling in it',
    );
    return { outputs: outputShapes.map(fixed) };
  },
};

registerLayer('CategoryEncoding', encoding);
for (const className of ['Resizing', 'RandomWidth', 'RandomHeight']) registerLayer(className, misshapen);
