import { expect, it } from 'vitest';
import { rowsOf } from './index.ts';

const cost = { params: 10, macs: 100, bytes: 40 };
const answer = {
  milliseconds: { before: [30, 300, 33], after: [10, 150, 11] },
  cost: { before: cost, after: { params: 5, macs: 25, bytes: 20 } },
};

it('divides round by round, and holds wasm alone to a ratio', () => {
  const rows = rowsOf('wasm', 'resnet50', answer);
  expect(rows.find(({ metric }) => metric === 'ratio')).toMatchObject({
    ...{ case: 'resnet50/wasm', value: 3, target: 2.2, meets: true },
  });
  expect(
    rowsOf('tensorflow', 'resnet50', answer).find(({ metric }) => metric === 'ratio'),
  ).not.toHaveProperty('target');
  expect(rows).toContainEqual({ case: 'resnet50/wasm/after', metric: 'macs', value: 25 });
  expect(rows[0]).toMatchObject({ case: 'resnet50/wasm/before', metric: 'milliseconds', value: 33 });
});
