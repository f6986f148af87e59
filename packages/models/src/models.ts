import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkKnown, checkOneOf } from './check.ts';
import { type LenetArgs, lenet } from './lenet.ts';
import { type MlpArgs, mlp } from './mlp.ts';

/** What {@link buildModel} takes: each network has some of these. */
export interface BuildOptions extends Omit<LenetArgs, 'l2'>, Pick<MlpArgs, 'hidden'> {}

/** One network of the record {@link models}. */
export interface ModelEntry {
  readonly description: string;
  /** The names of the options that it takes. */
  readonly options: readonly (keyof BuildOptions)[];
  build(options?: BuildOptions): LayersModel;
}

const shared = ['inputShape', 'classes', 'activation', 'dropout', 'seed'] as const;

/** A network of the angle paper: two convolutions and one hidden layer of 50. */
const net = (name: string, conv: readonly number[], features: number): ModelEntry => ({
  description: `${name} of the angle paper: conv ${conv.join('-')}, ${features} flattened features, dense 50`,
  options: shared,
  build: (options) => lenet({ ...options, conv }),
});

/** The name of a network that {@link buildModel} knows. */
export type ModelName = 'lenet' | 'lenet-net1' | 'lenet-net2' | 'lenet-net3' | 'mlp';

/** The networks by name. */
export const models: Readonly<Record<ModelName, ModelEntry>> = {
  lenet: {
    description: '5x5 convolutions with max pooling, then dense layers; conv 10-20 and dense 50 unless told',
    options: ['conv', 'dense', ...shared],
    build: (options) => lenet(options),
  },
  'lenet-net1': net('Net1', [10, 20], 320),
  'lenet-net2': net('Net2', [10, 40], 640),
  'lenet-net3': net('Net3', [10, 10], 160),
  mlp: {
    description: 'dense layers on features (or on a flattened image); hidden 60-45-30 unless told',
    options: ['hidden', ...shared],
    build: ({ inputShape, ...options } = {}) =>
      mlp({ ...options, ...(inputShape && { inputs: inputShape }) }),
  },
};

/**
 * Builds a network by its name.
 *
 * ```ts
 * const model = buildModel('lenet-net2', { inputShape: data.inputShape, classes: data.classes.length });
 * ```
 */
export const buildModel = (name: ModelName, options: BuildOptions = {}): LayersModel => {
  checkOneOf('model', name, Object.keys(models));
  const entry = models[name];
  checkKnown(name, options, entry.options);
  return entry.build(options);
};
