import * as fc from 'fast-check';
import { type ModelDescription, operations, type Step } from './build.ts';

const leaf = operations.filter((operation) => operation !== 'nested' && operation !== 'unknown');

const stepOf = (names: readonly Step['operation'][]): fc.Arbitrary<Step> =>
  fc.record({
    operation: fc.constantFrom(...names),
    // mostly the newest tensor, so that models get deep
    from: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(4)),
    other: fc.nat(4),
    size: fc.integer({ min: 1, max: 5 }),
    option: fc.nat(7),
  });

const nestedStep = fc
  .record({ step: stepOf(['nested']), body: fc.array(stepOf(leaf), { minLength: 1, maxLength: 4 }) })
  .map(({ step, body }): Step => ({ ...step, body }));

// something to prune first
const producer = stepOf(['conv', 'conv', 'dense', 'separable']);

const inputShape = fc.constantFrom([6, 5, 2], [6, 5, 2], [7, 3], [6]);

export const modelDescription: fc.Arbitrary<ModelDescription> = fc.record({
  inputs: fc.array(inputShape, { minLength: 1, maxLength: 2 }),
  steps: fc
    .tuple(
      producer,
      fc.array(
        fc.oneof(
          { weight: 20, arbitrary: stepOf(leaf) },
          { weight: 3, arbitrary: producer },
          { weight: 2, arbitrary: nestedStep },
          { weight: 1, arbitrary: stepOf(['unknown']) },
        ),
        { minLength: 1, maxLength: 9, size: 'max' },
      ),
    )
    .map(([first, rest]) => [first, ...rest]),
  head: fc.nat(3),
  seed: fc.nat(1000),
});
