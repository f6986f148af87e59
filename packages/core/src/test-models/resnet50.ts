import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';

/** ResNet50 (v1) as Keras builds it, with weights of zero: 53 convolutions, 25.6 million parameters. */
export function resNet50(size = 64): LayersModel {
  const zeros = { kernelInitializer: 'zeros' } as const;
  const image = input({ shape: [size, size, 3] });
  const conv = (
    from: SymbolicTensor,
    [name, filters, kernelSize, strides = 1]: readonly [string, number, number, number?],
  ) => {
    const convolution = layers.conv2d({
      ...{ ...zeros, filters, kernelSize, strides },
      padding: 'same',
      name: `${name}_conv`,
    });
    return layers.batchNormalization({ name: `${name}_bn` }).apply(convolution.apply(from)) as SymbolicTensor;
  };
  const relu = (from: SymbolicTensor, name: string) =>
    layers.activation({ activation: 'relu', name: `${name}_relu` }).apply(from) as SymbolicTensor;
  let tensor = relu(conv(image, ['conv1', 64, 7, 2]), 'conv1');
  tensor = layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }).apply(tensor) as SymbolicTensor;
  for (const [stage, [filters, blocks]] of [
    [64, 3],
    [128, 4],
    [256, 6],
    [512, 3],
  ].entries()) {
    for (let block = 0; block < blocks!; block++) {
      const name = `conv${stage + 2}_block${block + 1}`;
      const strides = block === 0 && stage > 0 ? 2 : 1;
      const shortcut = block === 0 ? conv(tensor, [`${name}_0`, 4 * filters!, 1, strides]) : tensor;
      let branch = relu(conv(tensor, [`${name}_1`, filters!, 1, strides]), `${name}_1`);
      branch = relu(conv(branch, [`${name}_2`, filters!, 3]), `${name}_2`);
      branch = conv(branch, [`${name}_3`, 4 * filters!, 1]);
      const sum = layers.add({ name: `${name}_add` }).apply([shortcut, branch]) as SymbolicTensor;
      tensor = relu(sum, `${name}_out`);
    }
  }
  const pooled = layers.globalAveragePooling2d({ name: 'avg_pool' }).apply(tensor);
  const logits = layers.dense({ ...zeros, units: 1000, name: 'predictions' }).apply(pooled);
  return modelOf({ inputs: image, outputs: logits as SymbolicTensor, name: 'resnet50' });
}
