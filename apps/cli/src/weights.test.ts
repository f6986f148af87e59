import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sparsityOf } from '@espalier/core';
import { loadModel } from '@espalier/engine';
import { parseRecord } from '@espalier/report';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, temporaryFolder, tiny } from './testing/run.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const at = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  const line = `train ${tiny} --epochs 2 --hidden 20,12 --learning-rate 0.01 --no-report --out ${at('run')}`;
  expect((await run(line)).code).toBe(0);
});
afterAll(() => folder.remove());

describe('prune --weights', () => {
  it('zeroes single weights, holds them in the fine-tuning, and removes no unit', async () => {
    const line = `prune ${at('run')} --weights magnitude:fraction=0.8,ranking=global --epochs 2`;
    const { code, json } = await run(`${line} --engine wasm --json --out ${at('sparse')}`);
    expect(code).toBe(0);
    expect(json).toMatchObject({
      weights: { pruner: 'magnitude', epoch: 2 },
      headline: expect.stringContaining('80.0% of the weights zero'),
      evaluations: [{ stage: 'unpruned' }, { stage: 'pruned' }, { stage: 'fine-tuned' }],
    });
    expect(json).not.toHaveProperty('plan');
    const model = await loadModel(join(at('sparse'), 'model'));
    expect(model.getLayer('fc1').outputShape).toEqual([null, 20]);
    const { weights, zeros } = await sparsityOf(model);
    expect(zeros).toBe(Math.round(0.8 * weights));
    const record = parseRecord(await readFile(join(at('sparse'), 'record.jsonl'), 'utf8'));
    const disks = record.flatMap((event) => (event.type === 'evaluate' && event.disk ? [event.disk] : []));
    expect(disks.at(-1)!.gzipped).toBeLessThan(0.6 * disks[0]!.gzipped);
    expect(disks.at(-1)!.bytes).toBeCloseTo(disks[0]!.bytes, -3);
    expect(await readFile(join(at('sparse'), 'report.html'), 'utf8')).toContain('What is zero in each layer');
  });

  it('does so after units have gone, by what layers read', async () => {
    const line = `prune ${at('run')} --fraction 0.5 --weights nettrim:epsilon=0.3,iterations=20 --keep fc3`;
    const { code, err } = await run(`${line} --epochs 1 --no-sweep --engine wasm --json --out ${at('both')}`);
    expect(err).toContain('pruning single weights by nettrim');
    expect(code).toBe(0);
    const { kernels } = await sparsityOf(await loadModel(join(at('both'), 'model')));
    expect(kernels.map(({ zeros }) => zeros > 0)).toEqual([true, true, false]);
  });

  it('holds them when it goes on where it was cut off', async () => {
    const line = `prune ${at('run')} --weights magnitude:fraction=0.7 --epochs 3 --engine wasm --out ${at('cut')}`;
    const { code } = await run(line, {
      onStderr: (text, interrupt) => text.startsWith('epoch 1/3') && interrupt(),
    });
    expect(code).toBe(130);
    expect((await run(`prune --resume --no-report --engine wasm --out ${at('cut')}`)).code).toBe(0);
    const { kernels } = await sparsityOf(await loadModel(join(at('cut'), 'model')));
    for (const { zeros, weights } of kernels) expect(zeros).toBe(Math.round(0.7 * weights));
  });

  it.each([
    ['nettrm', 'Did you mean nettrim?'],
    ['magnitude', 'fraction: Give a number above 0 and below 1, like 0.9'],
    ['nettrim:epsilon=2', 'epsilon'],
    ['nettrim:epsilons=0.1', "there is no 'epsilons'"],
  ])('refuses %s before anything is computed', async (weights, message) => {
    const { code, err } = await run(`prune ${at('run')} --weights ${weights} --out ${at('never')}`);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});
