import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deviation, mean, type Result, type Row, rowOf } from './benchmark.ts';
import { main } from './index.ts';

const built = existsSync(new URL('../dist/sui-2018/worker.js', import.meta.url));

describe('rows', () => {
  it('are means with the spread of a sample', () => {
    expect(mean([1, 2, 6])).toBe(3);
    expect(deviation([1, 2, 6])).toBeCloseTo(Math.sqrt(7), 10);
    expect(deviation([5])).toBe(0);
  });

  it('say whether they meet their target', () => {
    expect(rowOf('a', 'accuracy', [97, 98], { target: 98 })).toEqual({
      ...{ case: 'a', metric: 'accuracy', value: 97.5, target: 98, meets: false },
      spread: Math.SQRT1_2,
    });
    expect(rowOf('a', 'accuracy', [98], { target: 98, reference: 96 })).toEqual({
      ...{ case: 'a', metric: 'accuracy', value: 98, target: 98, meets: true, reference: 96 },
    });
  });
});

describe('espalier-benchmark', () => {
  let out: string;
  let stdout: string;
  let stderr: string;
  beforeEach(async () => {
    out = await mkdtemp(join(tmpdir(), 'espalier-benchmark-'));
    stdout = '';
    stderr = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      stdout += text;
      return true;
    });
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      stderr += text;
      return true;
    });
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    await rm(out, { recursive: true, force: true });
  });

  it('answers a wrong command line with 2 and says what is wrong', async () => {
    expect(await main(['sui-2019'])).toBe(2);
    expect(stderr).toMatch(/unknown command 'sui-2019'/);
    expect(await main(['sui-2018', '--seeds', 'many'])).toBe(2);
    expect(stderr).toMatch(/whole number of at least 1/);
    expect(await main(['--help'])).toBe(0);
    expect(stdout).toMatch(/sui-2018/);
  });

  // it trains three networks in workers, which run what was built
  it.skipIf(!built)(
    'sui-2018 --quick prints every row of the paper as one JSON object',
    { tags: ['slow'] },
    async () => {
      const code = await main(['sui-2018', '--quick', '--json', '--out', out]);
      expect(code, stderr).toBe(0);
      const result = JSON.parse(stdout) as Result;
      expect(result).toMatchObject({ name: 'sui-2018', environment: { quick: true, seeds: 1 } });
      expect(stderr).toMatch(/quick form/);
      const values = new Map(result.rows.map((row) => [`${row.case} ${row.metric}`, row]));
      // each net: unpruned; 5 rows by bounds with count and accuracy; 5 by count with 11 methods, and one with 4
      expect(values.size).toBe(3 * (1 + 5 * 2 + 5 * 11 + 4));
      expect(values.size).toBe(result.rows.length);
      expect(values.get('net1/158-of-320/angle-add accuracy')).toMatchObject({ reference: 87 });
      expect(values.get('net2/128-of-640/angle-add accuracy')).toMatchObject({ reference: 94 });
      expect(values.get('net3/bounds-75-150/angle-add units')).toMatchObject({ reference: 75 });
      expect(values.get('net3/unpruned accuracy')).toMatchObject({ target: 98 });
      for (const net of ['net1', 'net2', 'net3']) {
        const accuracy = values.get(`${net}/unpruned accuracy`)!.value;
        expect(accuracy).toBeGreaterThan(80);
        expect(accuracy).toBeLessThan(100);
      }
      // wider bounds let more units go, never more than half
      const units = [60, 65, 70, 75, 80].map(
        (lower) => values.get(`net1/bounds-${lower}-150/angle-add units`)!.value,
      );
      expect(units).toEqual([...units].sort((a, b) => a - b));
      expect(units.at(-1)).toBeLessThanOrEqual(160);
      const page = await readFile(join(out, 'sui-2018.html'), 'utf8');
      expect(page).toMatch(/<svg/);
      expect(page).toContain('158 of 320');
      expect(JSON.parse(await readFile(join(out, 'sui-2018.json'), 'utf8'))).toEqual(result);
    },
  );

  it.skipIf(!built)(
    'singh-2018 --quick trains every network, keeps them, and prints every row once',
    { tags: ['slow'] },
    async () => {
      const args = ['singh-2018', '--quick', '--json', '--engine', 'wasm', '--out', out];
      const code = await main(args);
      expect(code, stderr).toBe(0);
      const result = JSON.parse(stdout) as Result;
      expect(result).toMatchObject({ name: 'singh-2018', environment: { quick: true, seeds: 1 } });
      expect(Object.keys(result)).toEqual(['name', 'environment', 'rows']);
      const values = new Map(result.rows.map((row) => [`${row.case} ${row.metric}`, row]));
      expect(values.size).toBe(result.rows.length);
      expect(values.get('single/50/relu-sgd accuracy')).toMatchObject({ reference: 84.7, target: 92 });
      expect(values.get('deep/paper-counts accuracy')).toMatchObject({ reference: 92, target: 94 });
      expect(values.get('deep/paper-counts fc1')!.value).toBe(51);
      expect(values.get('single/restart/64-units validation')!.note).toBe('the measure');
      expect(values.get('deep/54-left/from-scratch params')!.value).toBe(
        values.get('deep/54-left/sensitivity params')!.value,
      );
      const page = await readFile(join(out, 'singh-2018.html'), 'utf8');
      expect(page).toContain('This is the quick form');
      expect(page).toContain('Confusion on test data');
      // the second time nothing is trained
      const nets = join(out, 'nets');
      const times = async (): Promise<number[]> => {
        const files = await readdir(nets, { recursive: true });
        return Promise.all(files.sort().map(async (file) => (await stat(join(nets, file))).mtimeMs));
      };
      const before = await times();
      stdout = '';
      expect(await main(args)).toBe(0);
      expect((JSON.parse(stdout) as Result).rows).toEqual(result.rows);
      expect(await times()).toEqual(before);
    },
  );

  it.skipIf(!built)(
    'kernels --quick tries every layer kind on every engine, and lists what fails',
    { tags: ['slow'] },
    async () => {
      const code = await main(['kernels', '--quick', '--json', '--out', out]);
      expect(code, stderr).toBe(0);
      const { rows } = JSON.parse(stdout) as Result;
      const find = (at: string): Row | undefined => rows.find((row) => row.case === at);
      expect(rows.filter(({ meets }) => meets === false)).toEqual([]);
      expect(find('all/wasm')!.value).toBe(find('all/wasm')!.target);
      expect(find('all/wasm')!.value).toBeGreaterThan(50);
      expect(find('conv2d/wasm')).toMatchObject({ metric: 'error', target: 1e-2, meets: true });
      expect(find('conv2d/wasm-as-shipped')).toMatchObject({ metric: 'failed' });
      expect(find('conv2d/wasm-as-shipped')!.note).toContain('Conv2DBackpropFilter');
      expect(find('up-sampling2d/cpu')!.value).toBeGreaterThan(0.1);
      expect(find('up-sampling2d/cpu')!.note).toMatch(/^wrong: /);
      expect(find('the-gradient-of-center-crop/wasm')!.note).toContain('CropAndResize');
      expect(await readFile(join(out, 'kernels.html'), 'utf8')).toContain('What fails');
    },
  );

  it.skipIf(!built)(
    'speed --quick measures both networks, training and inference, and says who was left out',
    { tags: ['slow'] },
    async () => {
      vi.stubEnv('ESPALIER_PYTHON', 'no-such-python');
      const code = await main(['speed', '--quick', '--json', '--out', out]);
      expect(code, stderr).toBe(0);
      const { rows } = JSON.parse(stdout) as Result;
      const find = (at: string, metric: string): Row | undefined =>
        rows.find((row) => row.case === at && row.metric === metric);
      for (const at of ['lenet/train', 'lenet/inference', 'mlp/train', 'mlp/inference']) {
        const [ours, naive] = [find(`${at}/wasm`, 'rate')!, find(`${at}/wasm-naive`, 'rate')!];
        expect(ours.value).toBeGreaterThan(10);
        expect(find(`${at}/wasm-naive`, 'ratio')!.value).toBeCloseTo(ours.value / naive.value, 10);
        expect(find(`${at}/pytorch`, 'skipped')!.note).toContain('no-such-python');
      }
      expect(find('lenet/train/wasm-as-shipped', 'skipped')!.note).toContain('Conv2DBackpropFilter');
      expect(find('lenet/train/two-workers', 'ratio')).toMatchObject({ target: 1.7 });
      expect(await readFile(join(out, 'speed.html'), 'utf8')).toContain('This is the quick form');
    },
  );

  it('says that it cannot write before it trains', async () => {
    expect(await main(['sui-2018', '--quick', '--out', '/dev/null/here'])).toBe(1);
    expect(stderr).toMatch(/^espalier-benchmark: .*\/dev\/null\/here/m);
  });
});
