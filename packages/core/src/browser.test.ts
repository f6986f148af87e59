import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runAsPage } from './test-models/page.ts';

const packages = fileURLToPath(new URL('../../', import.meta.url));

/** What goes to users: no tests, and not the contract suite, which runs under vitest. */
const sources = ['core', ...readdirSync(packages).filter((name) => name.startsWith('pruner-'))]
  .map((name) => `${packages}${name}/src/`)
  .filter((folder) => existsSync(folder))
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .filter((file) => !/^(testing|test-models)\//.test(file))
      .map((file) => folder + file),
  );

it('core and pruners import tfjs, core, three small libraries and their own files, and nothing of Node', () => {
  expect(sources.length).toBeGreaterThan(30);
  for (const file of sources) {
    const text = readFileSync(file, 'utf8');
    const imported = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name]) => name!);
    const strange = imported.filter(
      (name) =>
        !/^(\.{1,2}\/.*\.ts|@tensorflow\/tfjs-(core|layers)|@espalier\/core|zod|zeptomatch|fastest-levenshtein)$/.test(
          name,
        ),
    );
    // examples in comments may name other pruners
    const real = strange.filter((name) => !new RegExp(`^ \\*.*'${name}'`, 'm').test(text));
    expect(real, file).toEqual([]);
    expect(text, file).not.toMatch(/\b(process|Buffer|__dirname|require)\s*[.(]/);
  }
});

const page = `
  import '@tensorflow/tfjs-backend-cpu';
  import { layers, sequential } from '@tensorflow/tfjs-layers';
  import * as tf from '@tensorflow/tfjs-core';
  import { analyze, plan, shrink } from './index.ts';
  globalThis.run = async () => {
  const model = sequential({ layers: [
    layers.conv2d({ filters: 4, kernelSize: 2, inputShape: [3, 3, 1], name: 'conv' }),
    layers.batchNormalization(), layers.reLU(), layers.flatten({ name: 'flat' }), layers.dense({ units: 2 }),
  ] });
  const pruner = { name: 'any', score: ({ bias }) => tf.range(0, bias.shape[0]) };
  const made = await plan(model, { pruner, budget: { count: 2 }, scope: ['channel', 'feature'] });
  const small = await shrink(model, await plan(model, { pruner, budget: { count: 1 }, scope: ['feature'] }));
  return {
    prunable: analyze(model).groups.filter((group) => group.prunable).map((group) => group.id),
    gone: made.groups.map((group) => group.remove.length),
    selection: small.getLayer('flat').getClassName(),
  };
  };
`;

it('core bundles for a browser, and the bundle knows its layers', async () => {
  // a rule that a bundler drops would be missed only by the users
  const { answer, warnings } = await runAsPage(page);
  expect(warnings).toEqual([]);
  expect(answer).toEqual({ prunable: ['conv', 'flat'], gone: [2], selection: 'FeatureSelection' });
});

const readme = readFileSync(`${packages}core/README.md`, 'utf8');
const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code!);

it.each(examples.map((code, i) => [i + 1, code] as const))(
  'example %i of the README runs',
  async (_, code) => {
    const lines = code.split('\n');
    const isImport = (line: string) => line.startsWith('import ');
    await runAsPage(`
    import '@tensorflow/tfjs-backend-cpu';
    ${lines.filter(isImport).join('\n')}
    import { smallResNet, task } from './test-models/fixed.ts';
    globalThis.run = async () => {
      const model = smallResNet();
      const { x, y } = task(model, 8);
      ${lines
        .filter((line) => !isImport(line))
        .map((line) => line.replace(/^export /, ''))
        .join('\n')}
    };
  `);
  },
);
