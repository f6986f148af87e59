import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from './main.ts';
import { modelNames } from './options/model.ts';
import { run, temporaryFolder, tiny } from './testing/run.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

const commands = [
  ...[
    'train',
    'prune',
    'evaluate',
    'inspect',
    'plan',
    'apply',
    'data',
    'models',
    'pruners',
    'schema',
    'doctor',
  ],
];

describe('espalier', () => {
  it('shows its help and its version', async () => {
    expect(await run([])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('Usage: espalier'),
    });
    const help = await run('--help');
    expect(help.code).toBe(0);
    for (const name of commands) expect(help.out).toContain(`\n  ${name} `);
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    expect(await run('--version')).toMatchObject({ code: 0, out: `${version}\n` });
  });

  it.each(commands)('explains %s, in the README too', async (name) => {
    const { code, out } = await run(`${name} --help`);
    expect(code).toBe(0);
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    expect(readme).toContain(`espalier ${name}`);
    for (const [flag] of out.matchAll(/--[a-z-]+(?= )/g)) expect(readme).toContain(flag);
  });

  it('guesses what was meant, and takes no unknown command', async () => {
    expect(await run('trian')).toMatchObject({
      code: 2,
      err: "error: unknown command 'trian' (Did you mean train?)\n",
    });
    expect(await run('evaluate')).toMatchObject({
      code: 2,
      err: "error: missing required argument 'model'\n",
    });
  });

  it('says its error in JSON, too, and shows a stack when asked to', async () => {
    const { code, json, err } = await run(['inspect', join(folder.path, 'none'), '--json', '--debug']);
    expect([code, json]).toEqual([1, { error: expect.stringContaining('there is no model at') }]);
    expect(err).toContain('    at ');
    expect((await run('evaluate --json')).json).toEqual({ error: "missing required argument 'model'" });
  });
});

describe('a fault of ours', () => {
  const broken = (): Writable & NodeJS.WritableStream => {
    const stream = new Writable();
    stream.write = () => {
      throw new TypeError('undefined has no length');
    };
    return stream;
  };

  it('is said on one line, with where to see more', async () => {
    let err = '';
    const stderr = new Writable({
      decodeStrings: false,
      write(text: string, _, done) {
        err += text;
        done();
      },
    });
    const io = { stdout: broken(), stderr, env: {}, onInterrupt: () => () => undefined };
    expect(await main(['models'], io)).toBe(1);
    expect(err).toBe(
      'espalier: unexpected error: undefined has no length (run with --debug for the stack)\n',
    );
    err = '';
    expect(await main(['models', '--debug'], io)).toBe(1);
    expect(err).toMatch(/^espalier: unexpected error: undefined has no length\nTypeError: .*\n {4}at /);
  });

  it('is not left to the listeners that an engine brings', async () => {
    const faults = ['uncaughtException', 'unhandledRejection'] as const;
    const count = (): number[] => faults.map((name) => process.listenerCount(name));
    const before = count();
    expect((await run('evaluate nowhere --engine wasm')).err).toContain('Engine: wasm');
    expect(count()).toEqual(before);
  });
});

describe('models, pruners, data and doctor', () => {
  it('list what there is', async () => {
    const models = await run('models --json');
    expect((models.json.models as { name: string }[]).map(({ name }) => name)).toEqual(modelNames);
    expect((await run('pruners --json')).json.pruners).toMatchObject([
      { name: 'angle', pairs: true, needs: ['activations'], options: ['lower', 'upper', 'complementary'] },
      { name: 'distinctiveness', pairs: true, needs: ['activations'] },
      { name: 'sensitivity', pairs: false, needs: ['updates'], options: ['of', 'aggregate'] },
      ...['step-angle', 'badness', 'relevance', 'contribution', 'reconstruction'].map((name) => ({
        name,
        pairs: false,
      })),
      { name: 'taylor', needs: ['activations', 'errors'], options: ['per'] },
      { name: 'fisher', needs: ['activations', 'errors'] },
      { name: 'apoz', needs: ['activations'] },
      { name: 'magnitude', needs: [], options: ['norm', 'of'] },
      { name: 'slimming' },
      { name: 'geometric-median' },
      { name: 'clustering', needs: [], options: [] },
      { name: 'nisp', pairs: false, needs: ['activations'], options: ['last', 'alpha'] },
      { name: 'random', pairs: false, needs: [] },
    ]);
    expect((await run('pruners --json')).json.weightPruners).toMatchObject([
      { name: 'nettrim', options: ['epsilon', 'form', 'patterns', 'iterations', 'refit'] },
      { name: 'magnitude', options: ['fraction', 'ranking'] },
    ]);
    expect((await run('pruners')).out).toContain('nettrim:epsilon=...,form=...');
    for (const name of ['models', 'pruners', 'data', 'doctor']) {
      expect(await run(name)).toMatchObject({ code: 0, err: '' });
    }
  });

  it('say where data is, and what was found here', async () => {
    const env = { ESPALIER_DATA_DIR: folder.path, ESPALIER_CACHE_DIR: join(folder.path, 'cache') };
    const { json } = await run('data --json', { env });
    expect(json).toMatchObject({
      dataDir: folder.path,
      datasets: [{ name: 'mnist', found: 'not here' }, {}, { name: 'glyphs', found: 'generated' }, {}],
    });
    const doctor = (await run('doctor --json', { env })).json;
    expect(doctor).toMatchObject({
      cacheDir: env.ESPALIER_CACHE_DIR,
      versions: { node: process.versions.node },
    });
    expect(doctor.engines).toContainEqual({ name: 'wasm', available: true });
  });

  it('show examples of images, of features and of a table', async () => {
    const images = await run('data glyphs --rows 100');
    expect(images.out).toMatch(/[#%@]/);
    expect((await run('data glyphs --rows 100 --as features')).out).toContain('x15');
    const table = join(folder.path, 'table.csv');
    const rows = Array.from({ length: 20 }, (_, i) => `${i},${(i * 7) % 5},${i % 2 ? 'odd' : 'even'}`);
    await writeFile(table, `a,b,kind\n${rows.join('\n')}\n`);
    expect((await run(`data csv:${table} --json`)).json).toMatchObject({
      classes: ['even', 'odd'],
      inputShape: [2],
    });
    await writeFile(table, 'a,b,kind\n1,2,x\n1,?,y\n');
    expect(await run(`data csv:${table}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining('missing value'),
    });
    expect(await run('data csv')).toMatchObject({ code: 2, err: expect.stringContaining('csv:table.csv') });
    expect(await run('data minst')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean mnist?'),
    });
  });

  it('do not trust files that are not the originals', async () => {
    const file = join(folder.path, 'letter-recognition', 'letter-recognition.data');
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, 'A,1,2');
    const dir = process.env.ESPALIER_DATA_DIR;
    process.env.ESPALIER_DATA_DIR = folder.path;
    try {
      const { code, err } = await run('data letters --offline');
      expect([code, err]).toEqual([1, expect.stringContaining('is not the original')]);
    } finally {
      if (dir === undefined) delete process.env.ESPALIER_DATA_DIR;
      else process.env.ESPALIER_DATA_DIR = dir;
    }
  });
});

const bin = fileURLToPath(new URL('../bin/espalier.js', import.meta.url));

describe.skipIf(!existsSync(new URL('../dist/main.js', import.meta.url)))('the built program', () => {
  const start = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8' });

  it('passes results and exit codes on', () => {
    const { status, stdout } = start('pruners', '--json');
    expect([status, JSON.parse(stdout).command]).toEqual([0, 'pruners']);
    expect(start('nonsense')).toMatchObject({ status: 2, stdout: '' });
  });

  it.skipIf(!existsSync('/dev/full'))('says so when its output can not be written', () => {
    const full = openSync('/dev/full', 'w');
    try {
      for (const options of [[], ['--json']]) {
        const { status, stderr } = spawnSync(process.execPath, [bin, 'models', ...options], {
          encoding: 'utf8',
          stdio: ['ignore', full, 'pipe'],
        });
        expect([status, stderr]).toEqual([
          1,
          expect.stringMatching(/^error: can't write the output: the disk is full.*\n$/),
        ]);
      }
    } finally {
      closeSync(full);
    }
  });

  it.skipIf(process.platform === 'win32')('ends in order when it is told to', async () => {
    const out = join(folder.path, 'cut');
    const args = `train ${tiny} --epochs 999 --hidden 9 --out ${out}`.split(' ');
    const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
      if (text.includes('epoch 2/999')) child.kill('SIGTERM');
    });
    const [code] = await once(child, 'close');
    expect([code, err]).toEqual([143, expect.stringMatching(/epoch \d+ of 999 is kept.*--resume\n$/)]);
    expect(readdirSync(folder.path).filter((name) => name.includes('partial'))).toEqual([]);
  });
});
