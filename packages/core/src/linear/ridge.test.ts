import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normal } from '../test-models/random.ts';
import { solveRidge } from './ridge.ts';

const matrix = (...rows: readonly (readonly number[])[]) => Float64Array.from(rows.flat());

const expectClose = (found: Float64Array, wanted: readonly number[]) => {
  expect(found).toHaveLength(wanted.length);
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 12);
  });
};

describe('solveRidge', () => {
  it('solves a system worked by hand', () => {
    // 4x + 2y = 8, 2x + 3y = 8
    const gram = matrix([4, 2], [2, 3]);
    const solution = solveRidge({ gram, right: matrix([8, 4], [8, 2]), unknowns: 2 }, 0);
    expectClose(solution, [1, 1, 2, 0]);
    expect([...gram], 'what is given stays').toEqual([4, 2, 2, 3]);
  });

  it('adds its ridge in units of the mean diagonal', () => {
    // mean diagonal 2; half of it on each: (1 + 1) x = 2, (3 + 1) y = 2
    const solution = solveRidge({ gram: matrix([1, 0], [0, 3]), right: matrix([2], [2]), unknowns: 2 }, 0.5);
    expectClose(solution, [1, 0.5]);
  });

  it('gives back what made the right side, for any well-posed system', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(1000),
        (n, m, seed) => {
          const draw = normal(seed);
          const rows = Array.from({ length: 3 * n + 2 }, () => Array.from({ length: n }, draw));
          const gram = Float64Array.from({ length: n * n }, (_, i) =>
            rows.reduce((sum, row) => sum + row[Math.floor(i / n)]! * row[i % n]!, 0),
          );
          const wanted = Float64Array.from({ length: n * m }, draw);
          const right = Float64Array.from({ length: n * m }, (_, at) => {
            const [i, c] = [Math.floor(at / m), at % m];
            return Array.from({ length: n }).reduce<number>(
              (sum, __, k) => sum + gram[i * n + k]! * wanted[k * m + c]!,
              0,
            );
          });
          const found = solveRidge({ gram, right, unknowns: n }, 0);
          found.forEach((value, i) => {
            expect(value).toBeCloseTo(wanted[i]!, 6);
          });
        },
      ),
    );
  });

  it('keeps inputs that are the same, or never vary, from blowing up', () => {
    const twins = solveRidge({ gram: matrix([1, 1], [1, 1]), right: matrix([1], [1]), unknowns: 2 }, 1e-6);
    expect(twins[0]).toBeCloseTo(0.5, 5);
    expect(twins[1]).toBeCloseTo(0.5, 5);
    expect([...solveRidge({ gram: matrix([0]), right: matrix([0, 0]), unknowns: 1 }, 1e-6)]).toEqual([0, 0]);
  });

  it('refuses what nothing can be fitted to, even by inputs that never vary', () => {
    for (const gram of [matrix([1]), matrix([0])]) {
      for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(() => solveRidge({ gram, right: matrix([1, wrong]), unknowns: 1 }, 1e-6)).toThrow(
          `[core] the inputs' covariances with what is fitted to hold ${wrong}`,
        );
      }
    }
  });

  it('refuses what has no solution', () => {
    for (const gram of [matrix([1, 2], [2, 1]), matrix([1, Number.NaN], [Number.NaN, 1])]) {
      expect(() => solveRidge({ gram, right: matrix([1], [1]), unknowns: 2 }, 0)).toThrow(
        "[core] the inputs' covariances can't be solved",
      );
    }
  });
});
