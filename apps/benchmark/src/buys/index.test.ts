import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it, vi } from 'vitest';
import { builtModule } from '../worker-pool.ts';
import { inChromium, whyNotInChromium } from './chromium.ts';
import { rowsOf } from './index.ts';

const built = existsSync(fileURLToPath(builtModule('buys/page')));
const here = built && (await whyNotInChromium()) === undefined;

afterEach(() => void vi.unstubAllEnvs());

const cost = { params: 10, macs: 100, bytes: 40 };
const answer = {
  milliseconds: { before: [30, 300, 33], after: [10, 150, 11] },
  cost: { before: cost, after: { params: 5, macs: 25, bytes: 20 } },
};

it('divides round by round, and holds wasm alone to a ratio, also in a browser', () => {
  const ratioIn = (place: Parameters<typeof rowsOf>[0]) =>
    rowsOf(place, 'resnet50', answer).find(({ metric }) => metric === 'ratio');
  expect(ratioIn({ name: 'wasm', engine: 'wasm' })).toMatchObject({
    ...{ case: 'resnet50/wasm', value: 3, target: 2.2, meets: true },
  });
  expect(ratioIn({ name: 'chromium', engine: 'wasm' })).toMatchObject({
    ...{ case: 'resnet50/chromium', value: 3, target: 2.2, meets: true },
  });
  expect(ratioIn({ name: 'tensorflow', engine: 'tensorflow' })).not.toHaveProperty('target');
  const rows = rowsOf({ name: 'wasm', engine: 'wasm' }, 'resnet50', answer);
  expect(rows).toContainEqual({ case: 'resnet50/wasm/after', metric: 'macs', value: 25 });
  expect(rows[0]).toMatchObject({ case: 'resnet50/wasm/before', metric: 'milliseconds', value: 33 });
});

it('says why there is no Chromium', async () => {
  vi.stubEnv('ESPALIER_CHROMIUM', '/no/such/chromium');
  expect(await whyNotInChromium()).toMatch(/no\/such\/chromium.*; ESPALIER_CHROMIUM may name the file/);
});

it.skipIf(!here)('halves a network in a page of Chromium', { tags: ['slow'] }, async () => {
  const job = { engine: 'wasm', network: 'mobilenetv2', side: 32, rounds: 2 } as const;
  const { milliseconds, cost } = await inChromium(job);
  expect(milliseconds.before).toHaveLength(2);
  expect([...milliseconds.before, ...milliseconds.after].every((value) => value > 0)).toBe(true);
  expect(cost.before.params).toBe(3_538_984);
  expect(cost.after.params).toBeLessThan(cost.before.params / 2);
});
