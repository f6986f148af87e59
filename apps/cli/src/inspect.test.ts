import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { analyze, plan, savingsOf } from '@espalier/core';
import { loadModel, saveModel, useEngine } from '@espalier/engine';
import { random } from '@espalier/pruner-random';
import { serialization } from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, temporaryFolder } from './testing/run.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const at = (name: string): string => join(folder.path, name);
const wasm = '--engine wasm';

/** A layer that Espalier has no rule for, and TensorFlow.js only knows once it is registered. */
class Swish extends layers.Layer {
  static readonly className = 'Swish';
  override call(inputs: never): never {
    return Array.isArray(inputs) ? inputs[0] : inputs;
  }
}

type Layer = Parameters<typeof sequential>[0] extends { layers?: (infer L)[] } | undefined ? L : never;

async function saved(name: string, made: LayersModel): Promise<string> {
  await saveModel(made, at(name));
  made.dispose();
  return at(name);
}

const behind = (...made: Layer[]): LayersModel =>
  sequential({ name: 'odd_model', layers: [...made, layers.dense({ units: 2, name: 'out' })] });

/** Edits the config of the layer `odd` in a model.json. */
async function edit(path: string, change: Record<string, unknown>): Promise<void> {
  const file = join(path, 'model.json');
  const json = JSON.parse(await readFile(file, 'utf8'));
  const described = json.modelTopology.config.layers.find(
    (layer: { config: { name: string } }) => layer.config.name === 'odd',
  );
  Object.assign(described.config, change);
  await writeFile(file, JSON.stringify(json));
}

beforeAll(async () => {
  folder = await temporaryFolder();
  await useEngine('wasm');
  const image = input({ shape: [8, 8, 1], name: 'image' });
  const first = layers.conv2d({ filters: 10, kernelSize: 3, name: 'conv' }).apply(image);
  const flat = layers.flatten({ name: 'flat' }).apply(first);
  const outputs = layers.dense({ units: 3, name: 'out' }).apply(flat) as SymbolicTensor;
  const fine = modelOf({ inputs: image, outputs, name: 'fine' });
  const half = await plan(fine, { pruner: random(), budget: { fraction: 0.5 } });
  await saved('fine', fine);
  await writeFile(at('plan.json'), JSON.stringify(half));
});
afterAll(() => folder.remove());

describe('inspect', () => {
  it('says what a tenth of each group saves, and what stays and why', async () => {
    const { code, out } = await run(`inspect ${at('fine')} ${wasm}`);
    expect(code).toBe(0);
    // one channel of ten: 9 weights and a bias, and 36 positions by 3 outputs behind it
    expect(out).toMatch(/conv +channel +10 +conv +out +1 +118 +432$/m);
    expect(out).toMatch(/Stay as they are\nout +3 units: the model puts it out\n/);
    expect(out).not.toContain('Go only if');
    const { json } = await run(`inspect ${at('fine')} --json ${wasm}`);
    const model = await loadModel(at('fine'));
    const savings = savingsOf(model, 0.1);
    expect(json.faults).toEqual([]);
    expect(json.groups).toMatchObject(
      analyze(model).groups.map(({ id }) => ({ id, ...(savings.has(id) && { tenth: savings.get(id) }) })),
    );
  });

  it('says why a group goes only if it is named', async () => {
    const first = layers.dense({ units: 6, inputShape: [3], name: 'first' });
    const path = await saved('norm', behind(first, layers.layerNormalization({ name: 'norm' })));
    const { out } = await run(`inspect ${path} ${wasm}`);
    expect(out).toMatch(/Go only if --scope names them\nfirst +6 units: norm takes the mean and variance/);
  });

  it('draws a page, and replaces none', async () => {
    const page = at('pages/fine.html');
    const line = `inspect ${at('fine')} --out ${page} ${wasm}`;
    const { code, out } = await run(line);
    expect(code).toBe(0);
    expect(out).toContain(`Page: ${page}`);
    const html = await readFile(page, 'utf8');
    expect(html).toContain('What can be pruned of fine');
    expect(html).toContain('<svg');
    expect((await run(line)).code).toBe(2);
    expect((await run(`${line} --overwrite --json`)).json).toMatchObject({ command: 'inspect', out: page });
  });
});

describe('where TensorFlow.js is at fault', () => {
  const conv = (name: string) => layers.conv2d({ filters: 4, kernelSize: 2, inputShape: [6, 6, 2], name });
  const pooled = () => layers.globalAveragePooling2d({ name: 'pool' });
  const conv1d = () => layers.conv1d({ filters: 3, kernelSize: 2, inputShape: [5, 2], name: 'odd' });
  const depthwise = () => layers.depthwiseConv2d({ kernelSize: 2, inputShape: [6, 6, 2], name: 'odd' });
  const separable = () =>
    layers.separableConv2d({
      filters: 2,
      kernelSize: 2,
      depthMultiplier: 3,
      inputShape: [6, 6, 2],
      name: 'odd',
    });
  const gru = () =>
    layers.gru({ units: 3, inputShape: [4, 2], recurrentInitializer: 'glorotUniform', name: 'odd' });

  type Case = readonly [name: string, make: () => LayersModel, change: Record<string, unknown>, says: string];
  const built: Case[] = [
    ['groups', () => behind(conv('odd'), pooled()), { groups: 2 }, 'odd: TensorFlow.js ignores groups (2)'],
    [
      'dilation',
      () => behind(depthwise(), pooled()),
      { dilation_rate: [2, 2] },
      'odd: TensorFlow.js ignores dilation',
    ],
    [
      'keepdims',
      () => behind(conv('conv'), layers.globalMaxPooling2d({ name: 'odd' })),
      { keepdims: true },
      'odd: TensorFlow.js ignores keepdims: put a Reshape',
    ],
  ];
  const unbuilt: Case[] = [
    [
      'causal',
      () => behind(conv1d(), layers.globalMaxPooling1d()),
      { padding: 'causal' },
      'odd: TensorFlow.js has no causal',
    ],
    [
      'reset_after',
      () => behind(gru()),
      { reset_after: true },
      'odd: TensorFlow.js has no GRU that resets after',
    ],
    ['depth_multiplier', () => behind(separable(), pooled()), {}, 'add "depth_multiplier": 3 to its config'],
    [
      'regularizer',
      () => behind(depthwise(), pooled()),
      { depthwise_constraint: { class_name: 'L1L2', config: {} } },
      'odd: TensorFlow.js saved its depthwise_regularizer as depthwise_constraint',
    ],
  ];

  it.each([...built, ...unbuilt])(
    '%s: what computes refuses it, and says what to do',
    async (name, make, change, says) => {
      const model = await saved(name, make());
      await edit(model, change);
      const data = '--dataset glyphs --rows 100';
      for (const line of [
        `plan ${model} --pruner random --fraction 0.5 ${data}`,
        `prune ${model} --pruner random --fraction 0.5 ${data} --out ${at(`${name}-pruned`)}`,
        `evaluate ${model} ${data}`,
        `apply ${model} ${at('plan.json')} --out ${at(`${name}-applied`)}`,
        `doctor --model ${model}`,
      ]) {
        const { code, err } = await run(`${line}${line.startsWith('doctor') ? '' : ` ${wasm}`}`);
        expect([code, err.trimEnd().split('\n').at(-1)]).toEqual([1, expect.stringContaining(says)]);
      }
    },
  );

  it.each(built)('%s: inspect shows what there is, and says it first', async (name, _, __, says) => {
    const { code, out } = await run(`inspect ${at(name)} ${wasm}`);
    expect(code).toBe(0);
    expect(out.indexOf(says)).toBeGreaterThan(0);
    expect(out.indexOf(says)).toBeLessThan(out.indexOf('Groups'));
    const { json } = await run(`inspect ${at(name)} ${wasm} --json --out ${at(`${name}.html`)}`);
    expect(json.faults).toEqual([expect.stringContaining(says)]);
    expect(await readFile(at(`${name}.html`), 'utf8')).toContain('class="notice"');
  });

  it.each(unbuilt)('%s: inspect fails with the reason', async (name, _, __, says) => {
    const { code, out, err } = await run(`inspect ${at(name)} ${wasm}`);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/error: (.*model\.json can't be loaded\.|\[core\]) odd: /);
    expect(err).toContain(says);
  });
});

describe('models from elsewhere', () => {
  it('with a layer that nobody knows say how to register it', async () => {
    serialization.registerClass(Swish);
    const swish = new Swish({ name: 'odd' });
    const path = await saved(
      'swish',
      behind(layers.dense({ units: 4, inputShape: [3], name: 'first' }), swish),
    );
    const known = await run(`inspect ${path} ${wasm}`);
    expect(known.out).toContain('first  4 units: odd reads it, and there is no rule for Swish layers');
    const file = join(path, 'model.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"Swish"', '"Wish"'));
    const { code, err } = await run(`inspect ${path} ${wasm}`);
    expect(code).toBe(1);
    expect(err).toContain(`${file} has a layer Wish, which TensorFlow.js does not have.`);
    expect(err).toContain("NODE_OPTIONS='--import ./layers.js'");
  });

  it('are named as what they are', async () => {
    const write = async (name: string, ...files: string[]): Promise<string> => {
      await mkdir(at(name), { recursive: true });
      for (const file of files) await writeFile(join(at(name), file), '\u0089HDF');
      return at(name);
    };
    await cp(at('fine'), at('renamed'), { recursive: true });
    await writeFile(join(at('renamed'), 'mine.json'), await readFile(at('fine/model.json')));
    const cases: [string, string][] = [
      [await write('keras', 'best.h5'), 'holds best.h5, a model of Keras or TensorFlow'],
      [join(at('keras'), 'best.h5'), '--input_format keras --output_format tfjs_layers_model'],
      [await write('saved', 'saved_model.pb'), '--input_format keras_saved_model'],
      [await write('three', 'model.keras'), 'save it as .h5'],
      [await write('other', 'mine.json', 'package.json'), 'one of mine.json, package.json'],
      [await write('nothing'), 'model.json is missing; check the path'],
    ];
    for (const [path, message] of cases) {
      const { code, out, err } = await run(`inspect ${path} ${wasm}`);
      expect([code, out]).toEqual([1, '']);
      expect(err.trimEnd().split('\n').at(-1)).toContain(message);
    }
    expect((await run(`inspect ${join(at('renamed'), 'mine.json')} ${wasm}`)).code).toBe(0);
  });

  it('of Keras 3 are named as such', async () => {
    const path = await saved('keras3', behind(layers.dense({ units: 4, inputShape: [3], name: 'first' })));
    const json = {
      modelTopology: {
        class_name: 'Sequential',
        config: {
          name: 'three',
          layers: [{ class_name: 'InputLayer', config: { batch_shape: [null, 3], name: 'in' } }],
        },
      },
      weightsManifest: [],
    };
    await writeFile(join(path, 'model.json'), JSON.stringify(json));
    const { code, err } = await run(`inspect ${path} ${wasm}`);
    expect(code).toBe(1);
    expect(err).toContain("can't be loaded. in: Keras 3 saved the model");
  });
});
