// Trains a step of a small convolutional net on the native engine; fails where that is not what happens.
import { strict as assert } from 'node:assert';
import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { useEngine } from '../packages/engine/dist/index.js';

const { name, version } = await useEngine('tensorflow');
assert.equal(tf.getBackend(), 'tensorflow');
const loaded = Object.entries(createRequire(import.meta.url).cache);
for (const file of ['tf-core.node.js', 'tf-layers.node.js', 'tf-backend-cpu.node.js']) {
  const copies = new Set(loaded.filter(([path]) => path.endsWith(file)).map(([, module]) => module));
  assert.equal(copies.size, 1, `${copies.size} copies of ${file} are in use, not one`);
}
const model = sequential({
  layers: [
    layers.conv2d({ inputShape: [8, 8, 1], filters: 3, kernelSize: 3, activation: 'relu' }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.flatten(),
    layers.dense({ units: 2, activation: 'softmax' }),
  ],
});
const x = tf.randomUniform([16, 8, 8, 1], -1, 1, 'float32', 1);
const y = tf.oneHot(tf.tensor1d([...'0110100110010110'].map(Number), 'int32'), 2);
const weights = () => model.getWeights().map((weight) => weight.dataSync().slice());
const before = weights();
model.compile({ optimizer: tf.train.sgd(0.5), loss: 'categoricalCrossentropy' });
const { history } = await model.fit(x, y, { epochs: 3, batchSize: 16, verbose: 0 });
assert(history.loss.every(Number.isFinite) && history.loss[2] < history.loss[0], `loss: ${history.loss}`);
for (const [i, values] of weights().entries()) {
  assert.notDeepEqual(values, before[i], `the weights ${model.weights[i].name} did not change`);
}
console.log(`${name} ${version}`);
