import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadModel } from '@espalier/engine';
import { parseRecord } from '@espalier/report';
import type { RunEvent } from '@espalier/trainer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, temporaryFolder, tiny } from './testing/run.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

const at = (name: string): string => join(folder.path, name);

const record = async (name: string): Promise<readonly RunEvent[]> =>
  parseRecord(await readFile(join(at(name), 'record.jsonl'), 'utf8'));

/** Without what differs from run to run. */
const losses = (events: readonly RunEvent[]): unknown[] =>
  events.flatMap((event) => (event.type === 'epoch' ? [[event.epoch, event.loss, event.valLoss]] : []));

describe('train', () => {
  it('writes a model that loads again, the record and the report', async () => {
    const { code, out, err } = await run(`train ${tiny} --epochs 2 --hidden 20 --out ${at('plain')}`);
    expect(code).toBe(0);
    expect(err).toContain('Data: glyphs (generated digits, seed 1): 420 training');
    expect(err).toContain('epoch 2/2  loss');
    expect(out).toContain('Trained for 2 epochs, test accuracy');
    expect((await readdir(at('plain'))).sort()).toEqual(['model', 'record.jsonl', 'report.html', 'run.json']);
    expect(await readFile(join(at('plain'), 'report.html'), 'utf8')).toContain('</html>');
    const model = await loadModel(join(at('plain'), 'model'));
    expect(model.outputs[0]!.shape).toEqual([null, 10]);
    expect(model.getUserDefinedMetadata()).toEqual({
      espalier: { dataset: 'glyphs', options: { as: 'features', rows: 600 }, seed: 1 },
    });
    expect((await record('plain')).map(({ type }) => type)).toEqual([
      ...['start', 'epoch', 'epoch', 'evaluate', 'evaluate', 'end'],
    ]);
  });

  it('prunes on the way, keeps the plans, and says it all in one JSON object', async () => {
    const { code, json } = await run(
      `train ${tiny} --epochs 3 --hidden 20 --fraction 0.5 --pruner random --no-report --json --out ${at('pruned')}`,
    );
    expect(code).toBe(0);
    expect(json).toMatchObject({
      command: 'train',
      plans: [join(at('pruned'), 'plans', 'epoch-1.json'), join(at('pruned'), 'plans', 'epoch-2.json')],
      epochs: 3,
      evaluations: [
        { stage: 'unpruned', split: 'validation' },
        { split: 'validation' },
        { split: 'test', latency: { batch: 90 } },
      ],
    });
    expect(existsSync(join(at('pruned'), 'report.html'))).toBe(false);
    const model = await loadModel(join(at('pruned'), 'model'));
    expect(model.getLayer('fc1').outputShape).toEqual([null, 10]);
  });

  it.each([
    'sensitivity',
    'step-angle',
    'badness',
    'relevance:order=2',
    'contribution',
    'angle',
    'taylor:per=all',
    'fisher',
    'apoz',
    'magnitude:norm=l2',
    'nisp',
    'nisp:last=outputs',
  ])('prunes by %s', async (pruner) => {
    const out = at(pruner.replace(':', '-'));
    const line = `train ${tiny} --epochs 2 --hidden 12 --after 0.5 --fraction 0.5 --no-report`;
    expect((await run(`${line} --pruner ${pruner} --out ${out}`)).code).toBe(0);
    expect((await loadModel(join(out, 'model'))).getLayer('fc1').outputShape).toEqual([null, 6]);
  });

  it('ends with what the file computes, where weights are stored in a narrow type', async () => {
    const line = `train ${tiny} --epochs 2 --hidden 16,12 --after 0.5 --no-report --json`;
    const options =
      '--pruner random --fraction 0.5 --ranking global --keep fc2 --round-to 4 --quantize float16';
    const { code, json } = await run(`${line} ${options} --out ${at('narrow')}`);
    expect(code).toBe(0);
    const model = await loadModel(join(at('narrow'), 'model'));
    expect(['fc1', 'fc2'].map((id) => model.getLayer(id).outputShape[1])).toEqual([8, 12]);
    const last = (json.evaluations as object[]).at(-1);
    expect(last).toMatchObject({ stage: 'stored in float16', split: 'test' });
    const { json: again } = await run(`evaluate ${at('narrow')} --engine wasm --json`);
    const { accuracy, disk } = again;
    expect(last).toMatchObject({ accuracy, disk });
  });

  it('removes whole layers of what it trained, and those of which every unit should go', async () => {
    const line = `train ${tiny} --epochs 3 --hidden 12,8 --no-report --json`;
    const { code, json } = await run(`${line} --remove-layers 100 --out ${at('shallow')}`);
    expect(code).toBe(0);
    const tried = (await record('shallow')).filter((event) => event.type === 'layer');
    expect(tried.map(({ layer }) => layer)).toEqual(expect.arrayContaining(['fc1', 'fc2']));
    expect(json.headline).toMatch(/layers? removed/);
    const whole = `${line} --pruner random --threshold 9 --scope fc2 --after 0.7 --whole-layers`;
    expect((await run(`${whole} --out ${at('joined')}`)).code).toBe(0);
    const joined = await loadModel(join(at('joined'), 'model'));
    expect(joined.layers.map(({ name }) => name)).not.toContain('fc2');
  });

  it.each(['sgd', 'momentum', 'rmsprop', 'adam'])(
    'goes on after Ctrl-C as if nothing had happened (%s)',
    async (optimizer) => {
      const options = `${tiny} --epochs 4 --hidden 20 --pruner random --fraction 0.6 --optimizer ${optimizer} --seed 3 --no-report`;
      const [whole, cut] = [at(`whole-${optimizer}`), at(`cut-${optimizer}`)];
      expect((await run(`train ${options} --out ${whole}`)).code).toBe(0);

      const interrupted = await run(`train ${options} --out ${cut}`, {
        onStderr: (text, interrupt) => text.includes('epoch 2/4') && interrupt(),
      });
      expect(interrupted.code).toBe(130);
      expect(interrupted.err).toMatch(/error: interrupted: epoch 2 of 4 is kept, go on with: .* --resume\n$/);
      expect(existsSync(join(cut, 'model'))).toBe(false);
      // as a crash in the middle of a line would leave it
      await writeFile(join(cut, 'record.jsonl'), '{"type":"epoch","epoch":3,"lo', { flag: 'a' });

      const refused = await run(`train ${options} --out ${cut}`);
      expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('--resume')]);

      const resumed = await run(`train --out ${cut} --resume --engine wasm --json`);
      expect(resumed.json).toMatchObject({
        plans: [1, 2].map((epoch) => join(cut, 'plans', `epoch-${epoch}.json`)),
        evaluations: [{ stage: 'unpruned' }, { stage: 'pruned and trained' }, {}],
      });
      expect(resumed.err).toContain('Going on after epoch 2 of 4');
      expect(resumed.code).toBe(0);
      const [a, b] = [await record(`whole-${optimizer}`), await record(`cut-${optimizer}`)];
      expect(losses(b)).toEqual(losses(a));
      expect(b.map(({ type }) => type)).toEqual(a.map(({ type }) => type));
      const plans = ['epoch-1.json', 'epoch-2.json'];
      expect((await readdir(join(whole, 'plans'))).sort()).toEqual(plans);
      for (const plan of plans) {
        const [before, after] = [whole, cut].map((run) => readFile(join(run, 'plans', plan), 'utf8'));
        expect(JSON.parse(await after!).groups).toEqual(JSON.parse(await before!).groups);
      }
      expect(existsSync(join(cut, 'checkpoint'))).toBe(false);

      const again = await run(`train --out ${cut} --resume`);
      expect([again.code, again.err]).toEqual([2, expect.stringContaining('nothing to resume')]);
    },
  );

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('keeps nothing of a run that %s stopped in its first epoch', async (signal, status) => {
    const { code, err } = await run(`train ${tiny} --out ${at('early')}`, {
      onStderr: (text, interrupt) => text.startsWith('Data:') && setTimeout(() => interrupt(signal)),
    });
    expect([code, err]).toEqual([status, expect.stringContaining('nothing is kept')]);
    expect(existsSync(at('early'))).toBe(false);
  });

  it('refuses to replace a run unless told to', async () => {
    const line = `train ${tiny} --epochs 1 --hidden 5 --no-report --out ${at('twice')}`;
    expect((await run(line)).code).toBe(0);
    expect(await run(line)).toMatchObject({ code: 2, err: expect.stringContaining('--overwrite') });
    expect((await run(`${line} --overwrite --seed 2`)).code).toBe(0);
    // what can't be is noticed before the old run makes room
    for (const wrong of ['--scope nope', '--every 5']) {
      const pruned = `${line} --overwrite --fraction 0.5 ${wrong}`;
      expect((await run(pruned)).code).toBe(1);
      expect(existsSync(join(at('twice'), 'model', 'model.json'))).toBe(true);
    }
  });

  it('stops early, and says why', async () => {
    const { json } = await run(
      `train ${tiny} --epochs 9 --hidden 5 --learning-rate 1e-12 --early-stopping 1 --json --no-report --out ${at('stopped')}`,
    );
    expect(json.stopped).toContain('no better loss');
  });

  it('says that glyphs stand in for mnist where it is not to be had', async () => {
    const nowhere = at('nowhere');
    process.env.ESPALIER_CACHE_DIR = nowhere;
    const dir = process.env.ESPALIER_DATA_DIR;
    delete process.env.ESPALIER_DATA_DIR;
    try {
      const { code, err } = await run(
        `train --offline --limit 100 --epochs 1 --conv 2 --dense 5 --model lenet --engine wasm --out ${at('standin')}`,
      );
      expect(err).toContain('standing in for mnist');
      expect(code).toBe(0);
      const named = await run(`train --dataset mnist --offline --out ${at('named')}`);
      expect([named.code, named.err]).toEqual([1, expect.stringContaining('Set ESPALIER_DATA_DIR')]);
      expect((await run(`evaluate ${at('standin')} --engine wasm`)).code).toBe(0);
    } finally {
      delete process.env.ESPALIER_CACHE_DIR;
      if (dir !== undefined) process.env.ESPALIER_DATA_DIR = dir;
    }
  });
});

describe('train fails in one line and leaves nothing when', () => {
  it.each([
    ['the loss diverges', '--optimizer sgd --learning-rate 1e30 --hidden 5', 1, /diverged.*learning rate/],
    ['the schedule never prunes', '--epochs 2 --every 5 --fraction 0.5', 1, /never prunes/],
    ['a group is unknown', '--scope nope --fraction 0.5', 1, /scope names 'nope'.*fc1/],
    [
      'the bounds are the wrong way round',
      '--pruner angle:lower=150,upper=60',
      2,
      /lower must be below upper/,
    ],
    [
      'a pruner is unknown',
      '--pruner angel',
      2,
      /no pruner angel\. Did you mean angle\? Use one of: angle, .*; or a file, \.\/angel\.js, or an installed package/,
    ],
    ['an option is unknown', '--fractoin 0.5', 2, /unknown option '--fractoin' \(Did you mean --fraction/],
    ['a budget is missing', '--pruner random', 2, /say how far/],
    ['there are two budgets', '--fraction 0.5 --count 3', 2, /one of --fraction/],
    [
      'a pruner has no options',
      '--pruner random:lower=3 --fraction 0.5',
      2,
      /there is no 'lower'\. Use one of: name, weight/,
    ],
    ['a pruner has no such option', '--pruner angle:lowr=3', 2, /no 'lowr'\. Did you mean lower\?/],
    [
      'a pruner has no such choice',
      '--pruner sensitivity:of=outgoin',
      2,
      /of: Did you mean outgoing\? Use one of/,
    ],
    ['a pruner prunes once, and often', '--fraction 0.5 --after 0.5 --every 2', 2, /leave out --every/],
    ['a schedule is none', '--fraction 0.5 --until 2', 2, /until must be/],
    ['a phase is none', '--phases [{"prunr":1}]', 2, /\[0\]: there is no 'prunr'\. Did you mean pruner/],
    ['phases are no JSON', '--phases [', 2, /Not valid JSON/],
    ['a phase has no budget', '--phases [{"pruner":"badness"}]', 2, /phases\[0\]: say how far/],
    [
      'phases are not alone',
      '--phases [{"fraction":0.5}] --fraction 0.5',
      2,
      /--fraction belongs into the phases/,
    ],
    ['a search keeps to limits', '--restart --round-to 8', 2, /leave out --round-to/],
    ['a search ranks by nobody', '--restart --ranking global', 2, /--ranking is of a pruner that is asked/],
    ['a search prunes', '--restart --every 2', 2, /removes nothing while it trains: leave out --every/],
    ['a search is none', '--restart setp=3', 2, /no 'setp'\. Did you mean step\?/],
    ['a search has no data to go by', '--restart --split 80:20', 1, /no validation rows/],
    ['nobody names partners', '--pruner random --fraction 0.5 --compensation add', 2, /names no partners/],
    [
      'a number is none',
      '--epochs many',
      2,
      /--epochs <n>' argument 'many' is invalid\. Give a whole number/,
    ],
    ['a fraction is too large', '--fraction 1', 2, /from 0 to below 1/],
    ['a model has no such option', '--model mlp --conv 3', 2, /mlp takes no --conv: use --model lenet/],
    ['a network does not fit', '--model lenet', 2, /\[models\]/],
    ['a dataset has no such option', '--validation 10', 2, /glyphs takes no --validation; it takes: --of/],
    ['the dropout makes no sense', '--dropout 3', 2, /dropout must be/],
  ])('%s', async (_, options, code, message) => {
    const outcome = await run(`train ${tiny} --out ${at('bad')} ${options}`);
    expect(outcome.err.trimEnd().split('\n').at(-1)).toMatch(message);
    expect(outcome.err).not.toContain('    at ');
    expect(outcome.err).not.toMatch(/checkpoint/i);
    expect([outcome.code, outcome.out]).toEqual([code, '']);
    expect(existsSync(at('bad'))).toBe(false);
  });

  it('the folder can not be written', async () => {
    await writeFile(at('file'), '');
    for (const out of [at('file'), join(at('file'), 'x'), '/proc/nowhere']) {
      const { code, err } = await run(`train ${tiny} --epochs 1 --out ${out}`);
      // nothing was begun
      expect([code, err]).toEqual([1, expect.stringMatching(/^error: can't write to .*: c[a-z]+ .*\n$/)]);
    }
    expect((await run([...`train ${tiny} --out`.split(' '), ''])).code).toBe(2);
  });
});
