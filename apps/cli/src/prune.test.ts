import { cpSync, existsSync } from 'node:fs';
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
    expect((await readdir(at('half'))).sort()).toEqual([
      ...['model', 'plan.json', 'record.jsonl', 'report.html', 'run.json'],
    ]);
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
      ['--threshold 1 --ranking global', 2, '--ranking global shares a budget out: give --fraction'],
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
    expect((await readdir(at('mine'))).sort()).toEqual([
      ...['model', 'notes.txt', 'plan.json', 'record.jsonl', 'run.json'],
    ]);
  });

  it('does not overwrite the run that it prunes', async () => {
    const { code, err } = await run(`prune ${at('run')} --fraction 0.5 --out ${at('run')}`);
    expect([code, err]).toEqual([2, expect.stringContaining('--overwrite')]);
  });
});

describe('how far prune goes', () => {
  const line = () => `prune ${at('run')} --epochs 0 --no-sweep --no-report ${wasm} --json --pruner random`;

  it.each([
    ['--params 0.5', 'params', 0.5],
    ['--macs 0.3 --ranking global', 'macs', 0.3],
    ['--bytes 2000', 'bytes', undefined],
  ] as const)('%s', async (budget, measure, share) => {
    const out = at(`far-${measure}`);
    const { code, json } = await run(`${line()} ${budget} --out ${out}`);
    expect(code).toBe(0);
    const { before, after } = json.cost as Record<'before' | 'after', Record<typeof measure, number>>;
    const most = share === undefined ? 2000 : share * before[measure];
    expect(after[measure]).toBeLessThanOrEqual(most);
    // a unit has 40 parameters and multiply-adds at most
    expect(after[measure]).toBeGreaterThan(most - 4 * 40);
    expect(json.notes).toEqual([]);
  });

  it('is a share of each group, or what accuracy on validation data allows', async () => {
    const shares = await run(`${line()} --fraction fc1=0.5,fc2=0.25 --out ${at('shares')}`);
    expect(shares.code).toBe(0);
    const model = await loadModel(join(at('shares'), 'model'));
    expect(['fc1', 'fc2'].map((id) => model.getLayer(id).outputShape[1])).toEqual([10, 9]);
    const { json } = await run(`${line()} --floor 0.4 --out ${at('floor')}`);
    expect((json.notes as string[]).at(-1)).toMatch(
      /^accuracy: [\d.]+% of at least 40.00% on validation data/,
    );
    const planned = await run(`plan ${at('run')} --pruner random --floor 0.4 ${wasm} --json`);
    expect(planned.json.notes).toEqual(json.notes);
    const blind = await run(`${line()} --floor 0.4 --split 80:20 --out ${at('blind')}`);
    expect([blind.code, blind.err]).toEqual([1, expect.stringContaining('--floor goes by them')]);
  });

  it('is what the engine takes less time for', async () => {
    const { code, json } = await run(`${line()} --latency 0.99 --out ${at('faster')}`);
    expect(code).toBe(0);
    expect((json.notes as string[]).at(-1)).toMatch(/^latency: [\d.]+% of at most 99.00% of the unpruned/);
  });

  it.each([
    [
      '--params 0.5 --fraction 0.5',
      'give one of --fraction, --count, --params, --macs, --bytes, --threshold',
    ],
    ['--params 0.5 --floor 0.5', 'give one of --params, --floor, not several'],
    ['--params 1', 'Give the share that may be left, like 0.5, or a number above 1'],
    ['--latency 2', 'Give a number above 0 and below 1'],
    ['--floor 95', 'Give an accuracy from 0 to 1, like 0.9'],
    ['--every 2 --params 0.5', '--epochs 0 does not fine-tune: leave out --distill, --train-noise, and when'],
    ['--train-noise gaussian:0.1 --params 0.5', '--epochs 0 does not fine-tune'],
    ['--epochs 2 --every 1 --latency 0.5', '--latency is met at once'],
    ['--epochs 2 --every 1 --params 0.5 --weights nettrim', '--weights zeroes what is left once the units'],
    ['--params 0.5 --pruner sensitivity', 'use espalier train, or espalier prune --every 1'],
    ['--count =3', "Give each group as id=number, not '=3'"],
    ['--count fc1=3,fc1=4', 'Give fc1 one number, not two'],
    ['--params 0.5 --compensation add', '--compensation none, mean, least-squares or weighted-least-squares'],
    ['--epochs 2 --params 0.5 --distill warmth=4', "there is no 'warmth'"],
  ])('refuses %s', async (options, message) => {
    const { code, json } = await run(`${line()} ${options} --out ${at('refused')}`);
    expect([code, json.error]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('prune step by step', () => {
  const weightsOf = async (out: string) =>
    (await loadModel(join(out, 'model'))).getWeights().map((weight) => Array.from(weight.dataSync()));
  const recordOf = async (out: string) =>
    parseRecord(await readFile(join(out, 'record.jsonl'), 'utf8')).map((event) => {
      const { seconds: _, time: __, latency: ___, ...rest } = event as unknown as Record<string, unknown>;
      return rest;
    });

  it.each([
    ['in cubic steps', '--params 0.4 --every 1 --power 3 --epochs 4 --ranking global', [1, 2]],
    ['masking', '--fraction 0.5 --every 1 --epochs 3 --removal mask --pruner badness', [1, 2]],
    ['at once', '--params 0.5 --epochs 2', []],
  ])(
    'goes on from wherever it was killed as if nothing had happened (%s)',
    { tags: ['slow'] },
    async (name, options, steps) => {
      const whole = at(`whole ${name}`);
      const killed: string[] = [];
      const line = ['prune', at('run'), ...`${options} --distill temperature=2 --seed 4 ${wasm}`.split(' ')];
      const { code, json } = await run([...line, '--no-report', '--json', '--out', whole], {
        // what a process that is killed leaves: before and after each epoch and each pruning
        onStderr: () => {
          if (!existsSync(join(whole, 'run.json'))) return;
          killed.push(at(`killed ${name} ${killed.length}`));
          cpSync(whole, killed.at(-1)!, { recursive: true });
        },
      });
      expect(code).toBe(0);
      const plans = steps.map((epoch) => join(whole, 'plans', `epoch-${4 + epoch}.json`));
      if (steps.length > 0) expect(json.plans).toEqual(plans);
      else expect(json.plan).toBe(join(whole, 'plan.json'));
      expect(killed.length).toBeGreaterThan(2);
      const [weights, record] = [await weightsOf(whole), await recordOf(whole)];
      expect(record[0]!.teacher).toBe('the unpruned model, temperature 2');
      for (const out of killed) {
        const resumed = await run(['prune', '--resume', ...wasm.split(' '), '--no-report', '--out', out]);
        expect([resumed.code, resumed.err]).toEqual([0, expect.stringContaining('Going on after epoch')]);
        expect(await weightsOf(out)).toEqual(weights);
        expect(await recordOf(out)).toEqual(record);
      }
    },
  );

  it.each([
    ['--floor 0.999', 'nothing was pruned: validation accuracy was below --floor at every step'],
    [
      '--after 1 --early-stopping 1 --learning-rate 10',
      'nothing was pruned: the training stopped before (no better loss for 1 epochs)',
    ],
  ])('says why nothing went (%s)', async (options, message) => {
    const when = options.includes('--after') ? '' : '--every 1 ';
    const settings = `--params 0.5 --epochs 3 ${when}${options} ${wasm} --no-report --overwrite --out ${at('none')}`;
    for (const line of [`prune ${at('run')} ${settings}`, `train ${tiny.replace(wasm, settings)}`]) {
      const { code, err } = await run(line);
      expect([code, err]).toEqual([0, expect.stringContaining(message)]);
    }
  });

  it('is said in what it leaves, and by Ctrl-C', async () => {
    const line = `prune ${at('run')} --params 0.5 --every 1 --epochs 3 --no-report ${wasm}`;
    const out = at('stopped');
    const stopped = await run(`${line} --out ${out}`, {
      onStderr: (text, interrupt) => text.startsWith('epoch 1/3') && interrupt(),
    });
    expect([stopped.code, stopped.err]).toEqual([
      130,
      expect.stringContaining(`epoch 1 of 3 is kept, go on with: espalier prune --out ${out} --resume`),
    ]);
    for (const [again, message] of [
      [`${line} --out ${out}`, 'holds an unfinished run'],
      [`train --out ${out} --resume`, `is of espalier prune: go on by espalier prune --out ${out} --resume`],
      [`prune ${at('run')} --out ${out} --resume`, 'leave it out'],
      [`prune --out ${out} --resume --params 0.2`, 'leave out --params'],
    ] as const) {
      expect(await run(again)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    }
    const { code, json } = await run(`prune --out ${out} --resume --json ${wasm}`);
    expect(code).toBe(0);
    expect((json.cost as { after: { params: number } }).after.params).toBeLessThanOrEqual(
      (json.cost as { before: { params: number } }).before.params / 2,
    );
    const over = await run(`prune --out ${out} --resume`);
    expect([over.code, over.err]).toEqual([2, expect.stringContaining('nothing to resume')]);
    expect((await run('prune --params 0.5 --out nowhere')).err).toContain(
      "missing required argument 'model'",
    );
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
