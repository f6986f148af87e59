import { expect, it } from 'vitest';
import { type Measurement, rowsOfNetwork, rowsOfShape } from './index.ts';

const measured = (analyze: number, memory = 1): Measurement => ({
  seconds: { analyze: [analyze], plan: [0.2], shrink: [0.5], rebuild: [0.1] },
  memory,
});

it('holds the operations on a network to seconds, and shrinking to memory', () => {
  const rows = rowsOfNetwork('resnet50', measured(0.04, 2));
  expect(rows).toContainEqual({
    ...{ case: 'resnet50/analyze', metric: 'seconds', value: 0.04, reference: 0.13 },
    ...{ target: 0.03, meets: false },
  });
  expect(rows).toContainEqual({ case: 'resnet50/all', metric: 'seconds', value: 0.7 });
  expect(rows.at(-1)).toMatchObject({ metric: 'memory', value: 2, target: 2.5, meets: true });
});

it('compares a layer of the deepest net with one of the first', () => {
  const rows = rowsOfShape(
    'chain',
    new Map([
      [100, measured(0.01)],
      [800, measured(0.16)],
    ]),
  );
  const growth = rows.filter(({ metric }) => metric === 'growth');
  expect(growth[0]).toMatchObject({ case: 'chain/analyze', value: expect.closeTo(2, 9), meets: false });
  expect(growth[1]).toMatchObject({ case: 'chain/plan', value: 1 / 8, target: 1.5, meets: true });
  expect(growth.at(-1)).not.toHaveProperty('target');
});
