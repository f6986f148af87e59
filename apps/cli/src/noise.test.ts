import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, temporaryFolder, tiny } from './testing/run.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const at = (name: string): string => join(folder.path, name);
const wasm = '--engine wasm';

/** A curve as `--json` has it. */
interface Curve {
  readonly stage: string;
  readonly noise: string;
  readonly points: readonly { readonly level: number; readonly accuracy: number; readonly loss: number }[];
}

beforeAll(async () => {
  folder = await temporaryFolder();
  for (const [name, hidden] of [
    ['run', '20,12'],
    ['other', '6'],
  ]) {
    const line = `train ${tiny} --epochs 4 --hidden ${hidden} --learning-rate 0.01 --no-report --out ${at(name!)}`;
    expect((await run(line)).code).toBe(0);
  }
});
afterAll(() => folder.remove());

describe('evaluate --noise', () => {
  const noise = '--noise gaussian:0.2,0.4 --noise saltpepper:0.5';

  it('measures accuracy at each level, from no noise on, the same each time', async () => {
    const { json } = await run(`evaluate ${at('run')} ${noise} ${wasm} --json`);
    const curves = json.noise as Curve[];
    expect(curves.map((curve) => [curve.noise, curve.points.map(({ level }) => level)])).toEqual([
      ['gaussian', [0, 0.2, 0.4]],
      ['saltpepper', [0, 0.5]],
    ]);
    const [clean, , noisy] = curves[0]!.points;
    expect(clean).toMatchObject({ accuracy: json.accuracy, loss: json.loss });
    expect(noisy!.accuracy).toBeLessThan(clean!.accuracy);
    expect((await run(`evaluate ${at('run')} ${noise} ${wasm} --json`)).json.noise).toEqual(curves);
  });

  it('shows several models side by side, on the same data and noise', async () => {
    const models = [at('run'), at('other')];
    const { code, out } = await run(`evaluate ${models.join(' ')} ${noise} ${wasm}`);
    expect(code).toBe(0);
    expect(out).toMatch(/^model +accuracy +loss +latency +on disk$/m);
    expect(out).toMatch(/^Accuracy under noise\nnoise +level +\S+run\S* +\S+other\S*$/m);
    expect(out).toMatch(/^gaussian +0\.4 +\d+\.\d\d% +\d+\.\d\d%$/m);
    const { json } = await run(`evaluate ${models.join(' ')} ${noise} ${wasm} --json`);
    const [first, second] = json.models as Record<string, unknown>[];
    const { json: alone } = await run(`evaluate ${models[1]} ${noise} ${wasm} --json`);
    expect(first).toMatchObject({ model: join(at('run'), 'model') });
    for (const key of ['model', 'accuracy', 'confusion', 'noise', 'disk'])
      expect(second![key]).toEqual(alone[key]);
    expect(json).toMatchObject({ dataset: 'glyphs', rows: 90 });
  });

  it.each([
    ['gausian:0.1', 'Did you mean gaussian? Use one of: gaussian, saltpepper, occlusion, shift'],
    ['gaussian', 'Give its levels, too, like gaussian:0.1,0.2'],
    ['gaussian:', 'Give a number'],
    ['saltpepper:0.1,2', 'a number from 0 to 1; got 2'],
    ['shift:1.5', 'a whole number of 0 or more'],
  ])('refuses %s, and says what there is', async (given, message) => {
    const { code, err } = await run(`evaluate ${at('run')} --noise ${given} ${wasm}`);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it('says which noise rows of numbers can have', async () => {
    const { code, err } = await run(`evaluate ${at('run')} --noise shift:1 ${wasm}`);
    expect(code).toBe(1);
    expect(err).toContain('[noise] shift is for images');
    expect(err).toContain('use gaussian or saltpepper');
  });
});

const stagesOf = (json: Record<string, unknown>): string[] =>
  (json.noise as Curve[]).map(({ stage, noise }) => `${stage}: ${noise}`);

describe('prune --noise', () => {
  it('shows how the model bears noise before, without and after fine-tuning, as evaluate does', async () => {
    const line = `prune ${at('run')} --fraction 0.5 --no-sweep --noise gaussian:0.2 ${wasm} --out ${at('half')} --json`;
    const { json } = await run(line);
    expect(stagesOf(json)).toEqual(['unpruned: gaussian', 'pruned: gaussian', 'fine-tuned: gaussian']);
    const { json: again } = await run(`evaluate ${at('half')} --noise gaussian:0.2 ${wasm} --json`);
    const { points } = (json.noise as Curve[]).at(-1)!;
    expect((again.noise as Curve[])[0]!.points).toEqual(points);
    expect(await readFile(join(at('half'), 'report.html'), 'utf8')).toContain('Accuracy under noise');
  });

  it('fine-tunes with noise', async () => {
    const tuned = async (options: string) => {
      const out = at(`tuned${options.replace(/\W/g, '')}`);
      const { json } = await run(
        `prune ${at('run')} --fraction 0.5 --no-sweep --no-report${options} ${wasm} --out ${out} --json`,
      );
      return (json.evaluations as { readonly loss: number }[]).map(({ loss }) => loss);
    };
    const [clean, noisy, same] = [
      await tuned(''),
      await tuned(' --train-noise gaussian:0.5'),
      await tuned(' --train-noise gaussian:0.50'),
    ];
    expect(noisy!.slice(0, 2)).toEqual(clean!.slice(0, 2));
    expect(noisy![2]).not.toBe(clean![2]);
    expect(same).toEqual(noisy);
  });
});

describe('train --noise', () => {
  it('measures ahead of the first pruning and at the end, and takes both from a config file', async () => {
    const config = at('noise.json');
    const noise = { noise: { gaussian: [0.2] }, trainNoise: { gaussian: [0, 0.1], saltpepper: [0.05] } };
    await writeFile(config, JSON.stringify({ ...noise, fraction: 0.4, epochs: 3, until: 1, hidden: [12] }));
    const { code, json } = await run(
      `train ${tiny} --config ${config} --no-report --out ${at('trained')} --json`,
    );
    expect(code).toBe(0);
    expect(stagesOf(json)).toEqual(['unpruned: gaussian', 'pruned and trained: gaussian']);
    const record = (await readFile(join(at('trained'), 'record.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((text): { type: string; noise?: unknown } => JSON.parse(text));
    expect(record[0]!.noise).toEqual([
      { kind: 'gaussian', level: 0 },
      { kind: 'gaussian', level: 0.1 },
      { kind: 'saltpepper', level: 0.05 },
    ]);
    const types = record.map(({ type }) => type);
    expect(types.indexOf('noise')).toBeLessThan(types.indexOf('prune'));
  });

  it('refuses in a config file what the command line refuses', async () => {
    const config = at('wrong.json');
    await writeFile(config, JSON.stringify({ trainNoise: { saltpepper: [2] } }));
    const { code, err } = await run(`train ${tiny} --config ${config} --out ${at('wrong')}`);
    expect(code).toBe(2);
    expect(err).toContain('trainNoise.saltpepper[0]: [noise] a level of saltpepper is');
    const shifted = await run(`train ${tiny} --train-noise shift:1 --out ${at('wrong')}`);
    expect(shifted.err).toContain('[noise] shift is for images');
  });
});
