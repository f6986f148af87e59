import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadModel } from '@espalier/engine';
import { parseRecord } from '@espalier/report';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, temporaryFolder, tiny } from './testing/run.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const at = (name: string): string => join(folder.path, name);
const wasm = '--engine wasm';

beforeAll(async () => {
  folder = await temporaryFolder();
  const line = `train ${tiny} --epochs 4 --hidden 20,12 --learning-rate 0.01 --no-report --out ${at('run')}`;
  expect((await run(line)).code).toBe(0);
});
afterAll(() => folder.remove());

describe('prune', () => {
  it('plans, shrinks, fine-tunes and measures, on the dataset that the model remembers', async () => {
    const { code, json, err } = await run(
      `prune ${at('run')} --fraction 0.5 ${wasm} --json --out ${at('half')}`,
    );
    expect(err).toContain('Data: glyphs');
    expect(code).toBe(0);
    expect(json).toMatchObject({
      command: 'prune',
      dataset: { name: 'glyphs', rows: { train: 420, test: 90 } },
      evaluations: [{ stage: 'unpruned' }, { stage: 'pruned' }, { stage: 'fine-tuned', split: 'test' }],
    });
    expect((await readdir(at('half'))).sort()).toEqual(['model', 'plan.json', 'record.jsonl', 'report.html']);
    const small = await loadModel(join(at('half'), 'model'));
    expect(small.getLayer('fc1').outputShape).toEqual([null, 10]);
    expect(small.getUserDefinedMetadata()).toMatchObject({ espalier: { dataset: 'glyphs' } });
    const record = parseRecord(await readFile(join(at('half'), 'record.jsonl'), 'utf8'));
    const phases = record.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1]);
    expect(phases).toEqual([
      ...['start', 'epoch', 'evaluate', 'prune', 'evaluate', 'sweep', 'epoch', 'evaluate', 'end'],
    ]);
    // the training of the model comes first, and is counted on
    expect(record.flatMap((event) => (event.type === 'epoch' ? [event.epoch] : []))).toEqual([1, 2, 3, 4, 5]);
    expect(record.find((event) => event.type === 'prune')).toMatchObject({ epoch: 4 });
    const sweeps = record.filter((event) => event.type === 'sweep');
    expect(new Set(sweeps.map(({ series, split }) => `${series} on ${split}`))).toEqual(
      new Set(['angle on validation', 'random on validation']),
    );
    expect(sweeps.at(-1)).toMatchObject({ units: 32, removed: 16 });
  });

  it('can do without fine-tuning, and takes model.json for the folder', async () => {
    const model = join(at('run'), 'model', 'model.json');
    const { code, out } = await run(
      `prune ${model} --pruner angle:lower=90,upper=120 --epochs 0 --no-report --no-sweep ${wasm} --out ${at('untuned')}`,
    );
    expect(code).toBe(0);
    expect(out).toContain('fewer parameters');
    expect(out).not.toContain('fine-tuned');
    expect(out).not.toContain('\u001b');
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('writes nothing after %s', async (signal, status) => {
    const { code, err } = await run(`prune ${at('run')} --fraction 0.5 ${wasm} --out ${at('cut')}`, {
      onStderr: (text, interrupt) => text.startsWith('unpruned') && interrupt(signal),
    });
    expect([code, err]).toEqual([status, expect.stringContaining('nothing was written')]);
    expect((await readdir(folder.path)).filter((name) => name.startsWith('cut'))).toEqual([]);
  });

  it('masks units and holds them so through the fine-tuning', async () => {
    const line = `prune ${at('run')} --fraction 0.5 --no-sweep --no-report ${wasm} --out ${at('masked')}`;
    expect((await run(`${line} --removal mask`)).code).toBe(0);
    const masked = await loadModel(join(at('masked'), 'model'));
    expect(masked.getLayer('fc1').outputShape).toEqual([null, 20]);
    const plan = join(at('masked'), 'plan.json');
    const applied = await run(`apply ${at('masked')} ${plan} ${wasm} --out ${at('unmasked')}`);
    expect(applied.code).toBe(0);
    const losses: number[] = [];
    for (const model of [at('masked'), at('unmasked')]) {
      losses.push((await run(`evaluate ${model} --json ${wasm}`)).json.loss as number);
    }
    expect(losses[1]).toBeCloseTo(losses[0]!, 5);
  });

  it('removes whole layers while that costs little, alone or before units go', async () => {
    const line = `prune ${at('run')} --epochs 0 --no-sweep ${wasm} --json`;
    const { code, json, err } = await run(`${line} --remove-layers 100 --out ${at('shallow')}`);
    expect(err).toMatch(/round 1 {2}without fc2.*: validation accuracy [\d.]+% {2}(goes|stays)/);
    expect(code).toBe(0);
    expect(json).not.toHaveProperty('plan');
    expect(json.headline).toMatch(/layers? removed/);
    expect(json.layersTried).toContainEqual(expect.objectContaining({ layer: 'fc2', round: 1 }));
    const shallow = await loadModel(join(at('shallow'), 'model'));
    expect(shallow.layers.length).toBeLessThan((await loadModel(join(at('run'), 'model'))).layers.length);
    const none = await run(
      `${line} --remove-layers 0 --count fc1=4 --scope fc1 --no-report --out ${at('deep')}`,
    );
    expect(none.code).toBe(0);
    expect((await loadModel(join(at('deep'), 'model'))).getLayer('fc1').outputShape).toEqual([null, 16]);
    const blind = await run(`${line} --remove-layers 1 --split 80:20 --out ${at('blind')}`);
    expect([blind.code, blind.err]).toEqual([1, expect.stringContaining('use --split 70:15:15')]);
  });

  it('keeps layers, least numbers and multiples, and ranks groups together', async () => {
    const line = `prune ${at('run')} --epochs 0 --no-sweep --no-report ${wasm} --json --pruner random`;
    const sizes = async (options: string, name: string) => {
      const { code, json } = await run(`${line} ${options} --out ${at(name)}`);
      expect(code).toBe(0);
      const model = await loadModel(join(at(name), 'model'));
      return [['fc1', 'fc2'].map((id) => model.getLayer(id).outputShape[1]), json.notes];
    };
    expect(await sizes('--count 9 --keep fc2 --round-to 8', 'eights')).toEqual([
      [16, 12],
      ["group 'fc1': 9 units should go, 4 do: a multiple of 8 must stay"],
    ]);
    const [together] = await sizes('--fraction 0.5 --ranking global --min-units 5', 'together');
    expect((together as number[]).reduce((sum, n) => sum + n)).toBe(16);
    expect(Math.min(...(together as number[]))).toBeGreaterThanOrEqual(5);
    expect(await sizes('--fraction 0.5 --keep {fc2,out}', 'braces')).toEqual([[10, 12], []]);
    for (const [options, status, message] of [
      ['--count 1 --keep fc9', 1, "keep names 'fc9', which is no layer of this model. Nearest are: fc1, fc2"],
      ['--threshold 1 --ranking global', 2, '--ranking global shares a number of units out: give --fraction'],
      ['--count 1 --ranking globl', 2, 'Did you mean global?'],
      ['--count 1 --round-to 0', 2, '--round-to'],
    ] as const) {
      const outcome = await run(`${line} ${options} --out ${at('no')}`.replace(' --json', ''));
      expect([outcome.code, outcome.err]).toEqual([status, expect.stringContaining(message)]);
    }
    const kept = await run(
      `${line.replace('--pruner random', '--remove-layers 100')} --keep fc2 --out ${at('fc2')}`,
    );
    expect(kept.json.layersTried).not.toContainEqual(expect.objectContaining({ layer: 'fc2' }));
    expect((await loadModel(join(at('fc2'), 'model'))).getLayer('fc2').outputShape).toEqual([null, 12]);
  });

  it('stores weights in a narrow type and in shards, measures what it wrote, and keeps metadata', async () => {
    await cp(at('run'), at('owned'), { recursive: true });
    const description = join(at('owned'), 'model', 'model.json');
    const json = JSON.parse(await readFile(description, 'utf8'));
    json.userDefinedMetadata.owner = { name: 'me' };
    await writeFile(description, JSON.stringify(json));
    const line = `prune ${at('owned')} --fraction 0.2 --epochs 0 --no-sweep ${wasm} --json --out ${at('narrow')}`;
    const { json: pruned, err } = await run(`${line} --quantize uint8 --shard-bytes 300`);
    expect(err).toContain('stored in uint8: test accuracy');
    const [before, after, stored] = pruned.evaluations as {
      stage: string;
      accuracy: number;
      loss: number;
      disk: { bytes: number };
    }[];
    expect([before, after, stored].map((one) => one?.stage)).toEqual([
      ...['unpruned', 'pruned', 'stored in uint8'],
    ]);
    expect(stored!.loss).not.toBe(after!.loss);
    expect(stored!.disk.bytes).toBeLessThan(after!.disk.bytes);
    expect(pruned.headline).toContain(`${(stored!.accuracy * 100).toFixed(1)}%`);
    const model = join(at('narrow'), 'model');
    const small = await loadModel(model);
    expect(small.getUserDefinedMetadata()).toMatchObject({ owner: { name: 'me' }, espalier: {} });
    const files = (await readdir(model)).sort();
    expect(files).toHaveLength(Math.ceil(small.countParams() / 300) + 1);
    // what is evaluated later is the same file
    const { json: again } = await run(`evaluate ${at('narrow')} ${wasm} --json`);
    expect(again).toMatchObject({ accuracy: stored!.accuracy, disk: stored!.disk });
    expect(again.loss).toBeCloseTo(stored!.loss, 6);

    const apply = `apply ${at('owned')} ${join(at('narrow'), 'plan.json')} --out ${at('plain')} --json ${wasm}`;
    expect((await run(`${apply} --shard-bytes 1000`)).code).toBe(0);
    const { json: half } = await run(`${apply} --quantize float16 --overwrite`);
    expect((await readdir(at('plain'))).sort()).toEqual(['model.json', 'weights.bin']);
    expect(half.disk).toMatchObject({ bytes: expect.any(Number), gzipped: expect.any(Number) });
    expect((await loadModel(at('plain'))).getUserDefinedMetadata()).toMatchObject({ owner: { name: 'me' } });
    expect((await run(`${apply} --quantize int8 --overwrite`)).json.error).toContain('Did you mean uint8?');
  });

  it('fills a folder that is there, and leaves what it does not replace', async () => {
    await mkdir(at('mine'));
    await writeFile(join(at('mine'), 'notes.txt'), 'mine');
    const line = `prune ${at('run')} --fraction 0.2 --epochs 0 --no-sweep --no-report ${wasm} --out ${at('mine')}`;
    expect((await run(line)).code).toBe(0);
    expect((await readdir(at('mine'))).sort()).toEqual(['model', 'notes.txt', 'plan.json', 'record.jsonl']);
  });

  it('does not overwrite the run that it prunes', async () => {
    const { code, err } = await run(`prune ${at('run')} --fraction 0.5 --out ${at('run')}`);
    expect([code, err]).toEqual([2, expect.stringContaining('--overwrite')]);
  });
});

describe('plan and apply', () => {
  it('make by mask and by shrink the same outputs, and prune without either', async () => {
    const plan = at('plan.json');
    const made = await run(
      `plan ${at('run')} --pruner random --count fc1=5,fc2=2 --compensation mean ${wasm} --out ${plan}`,
    );
    expect(made.out).toContain('Plan: ');
    expect(made.code).toBe(0);
    const results: unknown[] = [];
    for (const how of ['', '--mask']) {
      const applied = await run(
        `apply ${at('run')} ${plan} --json --out ${at(`applied${how}`)} ${wasm} ${how}`.trim(),
      );
      expect(applied.json).toMatchObject({
        command: 'apply',
        groups: [{ before: 20, after: 15 }, { after: 10 }],
      });
      const { json } = await run(`evaluate ${at(`applied${how}`)} --json ${wasm}`);
      results.push([json.accuracy, (json.loss as number).toFixed(5)]);
    }
    expect(results[0]).toEqual(results[1]);
  });

  it('shows a plan that is not written', async () => {
    const { code, json } = await run(`plan ${at('run')} --threshold 60 ${wasm} --json`);
    expect(code).toBe(0);
    expect(json).toMatchObject({ command: 'plan', pruner: 'angle', plan: { version: 1 } });
  });

  it('say so when a place can not be written', async () => {
    const plan = at('fine.json');
    expect((await run(`plan ${at('run')} --fraction 0.2 ${wasm} --out ${plan}`)).code).toBe(0);
    const lines = [
      `plan ${at('run')} --fraction 0.2 ${wasm} --out /proc/plan.json`,
      `plan ${at('run')} --fraction 0.2 ${wasm} --overwrite --out ${at('run')}`,
      `apply ${at('run')} ${plan} ${wasm} --out ${plan}`,
      `apply ${at('run')} ${plan} ${wasm} --out ${plan}/x`,
      `apply ${at('run')} ${plan} ${wasm} --out /proc/x`,
      `prune ${at('run')} --fraction 0.2 ${wasm} --out /proc/x`,
      `prune ${at('run')} --fraction 0.2 ${wasm} --overwrite --out ${plan}`,
    ];
    for (const line of lines) {
      expect(await run(line)).toMatchObject({
        code: 1,
        out: '',
        // before anything is computed
        err: expect.stringMatching(/^error: can't write .*\n$/),
      });
    }
  });

  it('do not overwrite a plan unless told to', async () => {
    const plan = at('once.json');
    const line = `plan ${at('run')} ${wasm} --out ${plan}`;
    expect((await run(`${line} --fraction 0.2`)).code).toBe(0);
    const first = await readFile(plan, 'utf8');
    expect(await run(`${line} --fraction 0.4`)).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/^error: .*once\.json is there already: .*--overwrite\n$/),
    });
    expect(await readFile(plan, 'utf8')).toBe(first);
    expect((await run(`${line} --fraction 0.4 --overwrite`)).code).toBe(0);
    expect(await readFile(plan, 'utf8')).not.toBe(first);
  });

  it('refuse a plan for another model, and what is no plan', async () => {
    const plan = at('other.json');
    await run(`plan ${at('run')} --fraction 0.2 ${wasm} --out ${plan}`);
    const small = at('small');
    await run(`apply ${at('run')} ${plan} ${wasm} --out ${small}`);
    expect(await run(`apply ${small} ${plan} ${wasm} --out ${at('no')}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining('for another model'),
    });
    const text = await readFile(plan, 'utf8');
    for (const [name, broken, message] of [
      ['cut.json', text.slice(0, 99), 'not valid JSON'],
      ['odd.json', '{"version": 1}', 'this is not a plan: plan.model'],
      ['none.json', undefined, 'no such file'],
    ] as const) {
      if (broken !== undefined) await writeFile(at(name), broken);
      const outcome = await run(`apply ${at('run')} ${at(name)} ${wasm} --out ${at('no')}`);
      expect([outcome.code, outcome.err]).toEqual([1, expect.stringContaining(message)]);
    }
    expect(existsSync(at('no'))).toBe(false);
  });
});

describe('evaluate', () => {
  it('measures a part of the data', async () => {
    const { code, out } = await run(`evaluate ${at('run')} --on validation ${wasm}`);
    expect(out).toContain('On validation data');
    expect(out).toContain('Confusion');
    expect(code).toBe(0);
    const { json } = await run(`evaluate ${at('run')} --json ${wasm}`);
    const total = (json.confusion as number[][]).flat().reduce((sum, n) => sum + n, 0);
    expect([json.rows, total]).toEqual([90, 90]);
  });

  it('does not feed a model with what does not fit', async () => {
    for (const [options, message] of [
      ['--dataset glyphs --rows 100', 'the model takes inputs of 16, but glyphs has rows of 28x28x1'],
      ['--of letters', 'the model gives 10 outputs, but glyphs has 26 classes'],
      ['--split 80:20 --on validation', 'no validation rows'],
    ]) {
      const dataset = options!.includes('--dataset') ? '--as images' : '';
      const { code, err } = await run(`evaluate ${at('run')} ${wasm} ${options} ${dataset}`.trim());
      expect([code, err]).toEqual([1, expect.stringContaining(message!)]);
    }
  });
});

describe('inspect', () => {
  it('shows groups, layers and cost', async () => {
    const { code, out } = await run(`inspect ${at('run')} ${wasm}`);
    expect(code).toBe(0);
    for (const text of ['units: the model puts it out', 'Groups', 'Layers', 'parameters'])
      expect(out).toContain(text);
    const { json } = await run(`inspect ${at('run')} --json ${wasm}`);
    expect(json).toMatchObject({
      groups: [
        { id: 'fc1', size: 20, consumers: ['fc2'], prunable: true, exact: true },
        { id: 'fc2' },
        { prunable: false },
      ],
    });
  });

  it('says what is wrong with a model', async () => {
    const copy = async (name: string, edit: (text: string) => string): Promise<string> => {
      await cp(join(at('run'), 'model'), at(name), { recursive: true });
      const file = join(at(name), 'model.json');
      await writeFile(file, edit(await readFile(file, 'utf8')));
      return at(name);
    };
    const cases: [string, string][] = [
      [at('nowhere'), 'there is no model at'],
      [await copy('cut', (text) => text.slice(0, 50)), 'not valid JSON'],
      [
        await copy('graph', () => '{"format":"graph-model","modelTopology":{"node":[]}}'),
        'holds a GraphModel',
      ],
      [await copy('empty', () => '{}'), 'no modelTopology'],
    ];
    for (const [model, message] of cases) {
      const { code, out, err } = await run(`inspect ${model} ${wasm}`);
      expect([code, out]).toEqual([1, '']);
      expect(err.trimEnd().split('\n').at(-1)).toContain(message);
    }
  });
});
