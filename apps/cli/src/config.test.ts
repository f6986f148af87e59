import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadModel } from '@espalier/engine';
import { parseRecord } from '@espalier/report';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, temporaryFolder, tiny } from './testing/run.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const at = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

const write = async (name: string, content: unknown): Promise<string> => {
  await writeFile(at(name), typeof content === 'string' ? content : JSON.stringify(content));
  return at(name);
};

const small = { dataset: 'glyphs', as: 'features', rows: 600, engine: 'wasm', hidden: [20, 12], epochs: 4 };
const sizesOf = async (path: string): Promise<unknown[]> => {
  const model = await loadModel(join(path, 'model'));
  return ['fc1', 'fc2'].map((name) => (model.getLayer(name).outputShape as number[])[1]);
};

describe('a config file', () => {
  it('says what the command line would, which wins', async () => {
    const config = await write('a.json', { ...small, pruner: 'random', fraction: 0.5, report: false });
    expect((await run(`train --config ${config} --out ${at('a')}`)).code).toBe(0);
    expect(await sizesOf(at('a'))).toEqual([10, 6]);
    // another way to say how far
    expect((await run(`train --config ${config} --hidden 9,8 --count 3 --out ${at('b')}`)).code).toBe(0);
    expect(await sizesOf(at('b'))).toEqual([6, 5]);
  });

  it('prunes in phases, each with a budget and a schedule of its own', async () => {
    const phases = [
      { pruner: 'sensitivity', fraction: 0.25, until: 0.5, scope: ['fc1'] },
      { pruner: ['badness', { name: 'angle', weight: 2 }], count: { fc2: 4 }, after: 0.75, scope: ['fc2'] },
    ];
    const config = await write('phases.json', { ...small, out: at('phases'), phases });
    const { code, json } = await run(`train --config ${config} --no-report --json`);
    expect(code).toBe(0);
    expect(await sizesOf(at('phases'))).toEqual([15, 8]);
    const record = parseRecord(await readFile(String(json.record), 'utf8'));
    const prunings = record.filter((event) => event.type === 'prune');
    expect(prunings.map(({ epoch, pruner }) => [epoch, pruner])).toEqual([
      [1, 'sensitivity'],
      [2, 'sensitivity'],
      [3, 'by-rank(badness, angle)'],
    ]);
    // the same by flags
    const flags = ['--phases', JSON.stringify(phases), '--out', at('flags'), '--no-report'];
    const line = `train ${tiny} --hidden 20,12 --epochs 4`.split(' ');
    expect((await run([...line, ...flags])).code).toBe(0);
    const weights = ['phases', 'flags'].map((name) => readFileSync(join(at(name), 'model', 'weights.bin')));
    expect(weights[0]!.equals(weights[1]!)).toBe(true);
  });

  it('masks instead of shrinking, and plans of one epoch do not replace each other', async () => {
    const phases = [
      { pruner: 'random', fraction: 0.25, after: 0.5, scope: ['fc1'] },
      { pruner: 'random', fraction: 0.5, after: 0.5, scope: ['fc2'] },
    ];
    const config = await write('mask.json', { ...small, phases, removal: 'mask', report: false });
    const { code, json } = await run(`train --config ${config} --out ${at('masked')} --json`);
    expect(code).toBe(0);
    expect(await sizesOf(at('masked'))).toEqual([20, 12]);
    const plans = ['epoch-2.json', 'epoch-2-2.json'].map((name) => join(at('masked'), 'plans', name));
    expect(json.plans).toEqual(plans);
    // the last one includes the first
    const line = `apply ${at('masked')} ${plans[1]} --engine wasm --out ${at('applied')}`;
    expect((await run(line)).code).toBe(0);
    const smaller = await loadModel(at('applied'));
    expect(smaller.getLayer('fc1').outputShape).toEqual([null, 15]);
    const accuracy = async (path: string): Promise<unknown> =>
      (await run(`evaluate ${path} --engine wasm --json`)).json.accuracy;
    expect(await accuracy(at('applied'))).toBe(await accuracy(at('masked')));
  });

  it('is what --print-config prints', async () => {
    const config = await write('print.json', { ...small, $schema: './s.json', every: 2, pruner: 'random' });
    const line = `train --config ${config} --after 0.5 --pruner angle:lower=30,upper=150 --seed 3 --print-config`;
    const { code, out } = await run(line);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      ...small,
      after: 0.5,
      pruner: [{ name: 'angle', lower: 30, upper: 150 }],
      seed: 3,
      report: true,
    });
    await writeFile(at('again.json'), out);
    expect((await run(`train --config ${at('again.json')} --print-config`)).out).toBe(out);
  });

  it('serves prune, too', async () => {
    expect((await run(`train ${tiny} --hidden 20,12 --epochs 2 --no-report --out ${at('whole')}`)).code).toBe(
      0,
    );
    const config = await write('prune.json', { count: { fc1: 5 }, scope: ['fc1'], epochs: 0, sweep: false });
    const line = `prune ${at('whole')} --config ${config} --no-report --engine wasm --out ${at('pruned')}`;
    expect((await run(line)).code).toBe(0);
    expect(await sizesOf(at('pruned'))).toEqual([15, 12]);
  });

  it.each<[string, unknown, RegExp]>([
    ['a key is unknown', { epoch: 3 }, /there is no 'epoch'\. Did you mean epochs\? Use one of: .*/],
    ['a key of a phase is', { phases: [{ pruner: 'angle', budgt: 1 }] }, /phases\[0\]: there is no 'budgt'/],
    [
      'a name is',
      { optimizer: 'adm' },
      /optimizer: Did you mean adam\? Use one of: sgd, momentum, rmsprop, adam/,
    ],
    ['a number is out of bounds', { epochs: 0 }, /epochs: .*>=1/],
    ['a value is of another kind', { seed: '1' }, /seed: .*expected .*, received string/],
    [
      'a pruner has no such option',
      { pruner: ['random', { name: 'angle', lowr: 1 }] },
      /pruner\[1\]: .*lower/,
    ],
    [
      'an option of a pruner is wrong',
      { phases: [{ pruner: { name: 'sensitivity', of: 'incomin' } }] },
      /phases\[0\]\.pruner\.of: Did you mean incoming\? Use one of: incoming, outgoing/,
    ],
    ['a pruner is no name', { pruner: 3 }, /pruner: Give a pruner, or a list of pruners/],
    ['a budget is wrong', { count: { fc1: -1 } }, /count\.fc1: .*>=0/],
    [
      'a search has no such setting',
      { restart: { setp: 1 } },
      /restart: there is no 'setp'\. Did you mean step/,
    ],
    ['a dataset is unknown', { dataset: 'minst' }, /dataset: Did you mean mnist/],
    ['it is no JSON', '{"epochs": ', /no config file: not valid JSON/],
    ['a key belongs to another command', { sweep: false }, /there is no 'sweep'/],
  ])('is refused in one line when %s', async (_, content, message) => {
    const config = await write('wrong.json', content);
    const { code, err, out } = await run(`train ${tiny} --config ${config} --out ${at('wrong')}`);
    expect(err).toMatch(message);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect(err).toContain(config);
    expect([typeof content === 'string' ? 2 : code, out]).toEqual([2, '']);
  });

  it('must be there, and say where the results go if the command line does not', async () => {
    expect(await run(`train --config ${at('none.json')} --out ${at('x')}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining('no such file'),
    });
    const config = await write('nowhere.json', small);
    expect(await run(`train --config ${config}`)).toMatchObject({
      code: 2,
      err: 'error: say where the results go: --out <dir>\n',
    });
  });
});

describe('the README', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const section = /### Config files\n(.*?)\n### /s.exec(readme)![1]!;
  const [, example] = /```json\n(.*?)```/s.exec(section)!;
  const [, commands] = /```sh\n(.*?)```/s.exec(section)!;
  const [, error] = /```text\nerror: (.*?)\n```/s.exec(section)!;

  it('has an example that does what it says', async () => {
    await write('phases.json', example);
    const lines = [...commands!.matchAll(/^espalier ([^#>\n]*[^#> \n])/gm)].map(([, line]) => line!);
    const before = process.cwd();
    process.chdir(folder.path);
    try {
      for (const line of lines) {
        const { code, err } = await run(`${line}${line.startsWith('train') ? ' --engine wasm' : ''}`);
        expect([line, code, err.includes('error')]).toEqual([line, 0, false]);
      }
    } finally {
      process.chdir(before);
    }
    expect(await sizesOf(at('run'))).toEqual([20, 10]);
  });

  it('shows an error as it is', async () => {
    await write('phases.json', example!.replace('"weight"', '"wieght"'));
    const { err } = await run(`train --config ${at('phases.json')}`);
    expect(err).toContain(error!.replace('phases.json', at('phases.json')));
  });
});

describe('espalier schema', () => {
  it('tells editors what stands in a config file', async () => {
    const { code, json } = await run('schema --json');
    expect(code).toBe(0);
    const schema = json as {
      additionalProperties: boolean;
      properties: Record<string, { items?: { properties: object }; enum?: string[] }>;
    };
    expect(schema.additionalProperties).toBe(false);
    expect(schema.properties.optimizer).toMatchObject({ enum: ['sgd', 'momentum', 'rmsprop', 'adam'] });
    expect(Object.keys(schema.properties.phases!.items!.properties)).toEqual(
      expect.arrayContaining(['pruner', 'threshold', 'every', 'floor']),
    );
    expect(JSON.stringify(schema)).toContain('"const":"sensitivity"');
    const prune = (await run('schema prune --json')).json as typeof schema;
    expect(prune.properties).toHaveProperty('sweep');
    expect(prune.properties).not.toHaveProperty('phases');
  });

  it.each(['train', 'prune'])('knows every option of %s that may stand there', async (name) => {
    const help = (await run(`${name} --help`)).out;
    const flags = [...help.matchAll(/^ {2}(?:-\w, )?--(?:no-)?([a-z][a-z0-9-]*)/gm)].map(([, flag]) =>
      flag!.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
    );
    const once = ['config', 'printConfig', 'resume', 'overwrite', 'json', 'debug', 'help'];
    const { properties } = (await run(`schema ${name} --json`)).json as { properties: object };
    expect([...new Set(flags)].filter((flag) => !once.includes(flag)).sort()).toEqual(
      Object.keys(properties)
        .filter((key) => key !== '$schema')
        .sort(),
    );
  });
});

describe('a pruner of someone else', () => {
  const byBias =
    "({ sign = 1 } = {}) => ({ name: 'bias', score: ({ bias }) => (globalThis.sign = sign, bias.clone()) })";

  it('is a file or an installed package that exports its factory', async () => {
    const one = await write('one.mjs', `export const bias = ${byBias}; export const limit = 3;`);
    const line = `train ${tiny} --hidden 20 --epochs 2 --after 0.5 --fraction 0.5 --no-report --json`;
    const { code, json } = await run(`${line} --pruner ${one}:sign=2 --out ${at('one')}`);
    expect(code).toBe(0);
    expect((globalThis as { sign?: number }).sign).toBe(2);
    const plan = JSON.parse(readFileSync((json.plans as string[])[0]!, 'utf8'));
    expect(plan).toMatchObject({ pruner: 'bias', groups: [{ id: 'fc1', size: 20 }] });

    const installed = join(folder.path, 'node_modules', '@me', 'pruner-bias-size');
    await mkdir(installed, { recursive: true });
    await writeFile(join(installed, 'package.json'), '{"type":"module","exports":"./index.js"}');
    await writeFile(
      join(installed, 'index.js'),
      `export const biasSize = ${byBias}; export const help = () => 1;`,
    );
    const before = process.cwd();
    process.chdir(folder.path);
    try {
      expect((await run(`${line} --pruner @me/pruner-bias-size --out ${at('two')}`)).code).toBe(0);
    } finally {
      process.chdir(before);
    }
  });

  it.each([
    ['it is not there', './none.mjs', /can't load the pruner \.\/none\.mjs: /],
    ['it exports nothing', 'export const a = 1;', /must export one function.*Its functions: none/],
    [
      'it does not say which',
      'export const a = () => 1; export const b = a;',
      /say which: .*#name. .*: a, b/,
    ],
    ['it makes no pruner', 'export const a = () => ({ name: 1 });', /makes no pruner: it must return/],
    ['it fails', "export const a = () => { throw new Error('no such depth') };", /no such depth/],
    ['it is no JavaScript', 'export const', /can't load the pruner/],
  ])('is refused when %s', async (name, code, message) => {
    const file = code.startsWith('./') ? code : await write(`${name.replaceAll(' ', '-')}.mjs`, code);
    const outcome = await run(`train ${tiny} --fraction 0.5 --pruner ${file} --out ${at('foreign')}`);
    expect([outcome.code, outcome.out]).toEqual([2, '']);
    expect(outcome.err).toMatch(message);
    expect(outcome.err.trimEnd().split('\n')).toHaveLength(1);
  });

  it('may say which of its functions', async () => {
    const two = await write('two.mjs', `export const a = () => 1; export const b = ${byBias};`);
    const line = `train ${tiny} --hidden 9 --epochs 1 --fraction 0.5 --no-report --out ${at('which')}`;
    expect((await run(`${line} --pruner ${two}#b`)).code).toBe(0);
    expect((await run(`${line} --overwrite --pruner ${two}#c`)).err).toContain(
      'no function c. Its functions: a, b',
    );
  });
});
