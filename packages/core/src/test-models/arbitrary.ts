import * as fc from 'fast-check';
import type { InputDescription, ModelDescription, Step } from './build.ts';
import { makers, type Operation } from './makers/index.ts';

const operations = Object.keys(makers) as Operation[];
const leaf = operations.filter((operation) => operation !== 'nested' && operation !== 'unknown');

const stepOf = (names: readonly Operation[]): fc.Arbitrary<Step> =>
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
const producer = stepOf(['conv', 'conv', 'dense', 'separable', 'recurrent', 'bidirectional', 'convLstm']);

const inputs: readonly InputDescription[] = [
  { shape: [6, 5, 2] },
  { shape: [6, 5, 2] },
  { shape: [7, 3] },
  { shape: [4, 3] },
  { shape: [6] },
  { shape: [3, 4, 4, 2] },
  { shape: [5], words: true },
];

export const modelDescription: fc.Arbitrary<ModelDescription> = fc.record({
  inputs: fc.array(fc.constantFrom(...inputs), { minLength: 1, maxLength: 2 }),
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
