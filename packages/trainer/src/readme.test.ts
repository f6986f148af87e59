import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chdir, cwd } from 'node:process';
import { fileURLToPath } from 'node:url';
import { useEngine } from '@espalier/engine';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, it, vi } from 'vitest';

const packages = fileURLToPath(new URL('../../', import.meta.url));

/** The examples of packages' READMEs, but for those that ask the network for data. */
const examples = ['trainer', 'pruner-angle', 'models', 'datasets'].flatMap((name) =>
  [...readFileSync(`${packages}${name}/README.md`, 'utf8').matchAll(/```ts\n(.*?)```/gs)]
    .map(([, code], i) => ({ name, number: i + 1, code: code! }))
    .filter(({ code }) => !code.includes("loadDataset('mnist'")),
);

const AsyncFunction = (async () => {}).constructor as new (
  ...args: string[]
) => (...args: unknown[]) => Promise<unknown>;

/** What an example imports, by name, and the rest of its code. */
async function split(code: string): Promise<{ imported: Record<string, unknown>; body: string }> {
  const imported: Record<string, unknown> = {};
  const pattern = /^import \{([^}]*)\} from '([^']+)';$/gm;
  for (const [, names, from] of code.matchAll(pattern)) {
    const module = (await import(from!)) as Record<string, unknown>;
    for (const name of names!.split(',').map((one) => one.trim())) {
      expect(module, `${from} exports ${name}`).toHaveProperty(name);
      imported[name] = module[name];
    }
  }
  return { imported, body: code.replace(pattern, '') };
}

/** What the examples take as given. */
function given() {
  const dense = (units: number, name: string, more = {}) =>
    layers.dense({ units, name, activation: 'tanh', ...more });
  const model = sequential({
    layers: [
      dense(12, 'd1', { inputShape: [6] }),
      dense(8, 'd2'),
      layers.dense({ units: 3, activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  const rows = (count: number) => ({
    x: tf.randomNormal([count, 6], 0, 1, 'float32', 3),
    y: tf.cast(
      tf.oneHot(
        Array.from({ length: count }, (_, i) => i % 3),
        3,
      ),
      'float32',
    ),
  });
  const [train, validation, test] = [rows(60), rows(20), rows(20)];
  return { model, data: { train, validation }, validation, test, ...train };
}

beforeAll(async () => {
  if (!process.env.ESPALIER_TEST_ENGINE) await useEngine('wasm');
});

it.each(examples)("example $number of $name's README runs", async ({ code }) => {
  const folder = await mkdtemp(join(tmpdir(), 'espalier-readme-'));
  const before = cwd();
  vi.spyOn(console, 'log').mockImplementation(() => {});
  try {
    const { imported, body } = await split(code);
    const names = { ...given(), ...imported };
    chdir(folder);
    await new AsyncFunction(...Object.keys(names), body)(...Object.values(names));
  } finally {
    chdir(before);
    vi.restoreAllMocks();
    await rm(folder, { recursive: true });
  }
});
