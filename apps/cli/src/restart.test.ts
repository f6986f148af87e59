import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadModel } from '@espalier/engine';
import { parseRecord } from '@espalier/report';
import type { AttemptEvent, RunEvent } from '@espalier/trainer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, temporaryFolder, tiny } from './testing/run.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

const at = (name: string): string => join(folder.path, name);
const options = `${tiny} --hidden 12 --epochs 3 --learning-rate 0.01 --seed 3`;
const search = [...`train ${options} --restart step=4,tolerance=20,seeds=2,least=2`.split(' ')];

const record = async (name: string): Promise<readonly RunEvent[]> =>
  parseRecord(await readFile(join(at(name), 'record.jsonl'), 'utf8'));

/** Without what differs from run to run. */
const attemptsOf = (events: readonly RunEvent[]): unknown[] =>
  events
    .filter((event): event is AttemptEvent => event.type === 'attempt')
    .map(({ seconds: _, ...attempt }) => attempt);

describe('train --restart', () => {
  it('finds the smallest network that does as well, and shows its search', async () => {
    const { code, json, err } = await run([...search, '--out', at('whole'), '--json']);
    expect(code).toBe(0);
    expect(err).toMatch(/attempt 0 {2}fc1 12 {2}validation accuracy [\d.]+% {2}at least [\d.]+% holds/);
    const attempts = json.attempts as AttemptEvent[];
    expect(attempts[0]).toMatchObject({
      groups: [{ id: 'fc1', units: 12 }],
      trials: [{ seed: 3 }, { seed: 4 }],
    });
    const units = attempts.filter(({ held }) => held).at(-1)!.groups[0]!.units;
    expect(json.headline).toContain(`${units} of 12 units are enough`);
    expect(json.evaluations).toMatchObject([
      { stage: 'full size', split: 'test' },
      { stage: 'smallest that held', split: 'validation' },
      { stage: 'smallest that held', split: 'test', latency: {} },
    ]);
    const model = await loadModel(join(at('whole'), 'model'));
    expect(model.getLayer('fc1').outputShape).toEqual([null, units]);
    expect(await readFile(join(at('whole'), 'report.html'), 'utf8')).toContain(
      'The search for the smallest size',
    );
    const phases = (await record('whole'))
      .map(({ type }) => type)
      .filter((type, i, all) => type !== all[i - 1]);
    expect(phases).toEqual(['start', 'evaluate', 'attempt', 'epoch', 'evaluate', 'end']);
  });

  it('goes on after Ctrl-C as if nothing had happened', async () => {
    const cut = at('cut');
    const interrupted = await run([...search, '--out', cut], {
      onStderr: (text, interrupt) => text.startsWith('attempt 1') && interrupt(),
    });
    expect(interrupted.code).toBe(130);
    expect(interrupted.err).toMatch(/2 attempts are kept, go on with: .* --resume\n$/);
    expect(existsSync(join(cut, 'model'))).toBe(false);
    const { code, err } = await run(`train --out ${cut} --resume --engine wasm`);
    expect([code, err]).toEqual([0, expect.stringContaining('Going on after 2 attempts')]);
    expect(err).not.toContain('attempt 1');
    const [a, b] = [await record('whole'), await record('cut')];
    expect(attemptsOf(b)).toEqual(attemptsOf(a));
    expect(b.map(({ type }) => type)).toEqual(a.map(({ type }) => type));
    const weights = ['whole', 'cut'].map((name) => readFile(join(at(name), 'model', 'weights.bin')));
    expect((await weights[1]!).equals(await weights[0]!)).toBe(true);
  });

  it('asks a pruner which groups have units to spare', async () => {
    const line = `train ${tiny} --hidden 8,8 --epochs 2 --pruner sensitivity --threshold 1e9 --no-report --json`;
    const { code, json } = await run(`${line} --restart step=4,tolerance=100,least=12 --out ${at('asked')}`);
    expect(code).toBe(0);
    expect((json.attempts as AttemptEvent[]).map(({ groups }) => groups)).toMatchObject([
      [
        { id: 'fc1', units: 8, spare: 7 },
        { id: 'fc2', units: 8, spare: 7 },
      ],
      [
        { id: 'fc1', units: 6 },
        { id: 'fc2', units: 6 },
      ],
    ]);
  });

  it('keeps nothing of a search that was stopped in its first training', async () => {
    const { code, err } = await run([...search, '--out', at('early')], {
      onStderr: (text, interrupt) => text.startsWith('Data:') && setTimeout(interrupt),
    });
    expect([code, err]).toEqual([130, expect.stringContaining('nothing is kept')]);
    expect(existsSync(at('early'))).toBe(false);
  });
});
