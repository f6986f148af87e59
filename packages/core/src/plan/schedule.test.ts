import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Agenda } from './agenda.ts';
import {
  type EveryEpochsArgs,
  everyEpochs,
  oneShot,
  polynomial,
  type Schedule,
  whileAccuracy,
} from './schedule.ts';

/** A schedule as a table: after which epoch how much is behind. */
const tableOf = (schedule: Schedule, epochs: number): [number, number][] =>
  schedule.steps(epochs).map(({ epoch, share }) => [epoch, Number(share.toFixed(6))]);

describe('the steps of', () => {
  for (const [name, schedule, epochs, wanted] of [
    ['oneShot', oneShot({ after: 0.7 }), 10, [[7, 1]]],
    ['oneShot in too few epochs', oneShot({ after: 0.3 }), 3, []],
    [
      'everyEpochs',
      everyEpochs(),
      4,
      [
        [1, 0.25],
        [2, 0.5],
        [3, 0.75],
        [4, 1],
      ],
    ],
    [
      'every 50th in the first 70% (Singh)',
      everyEpochs({ every: 50, until: 0.7 }),
      200,
      [
        [50, 0.5],
        [100, 1],
      ],
    ],
    [
      'a phase in the middle',
      everyEpochs({ every: 3, from: 0.25, until: 0.8 }),
      20,
      // t_0 = 5, n = floor((16 - 5) / 3) = 3
      [
        [8, 0.333333],
        [11, 0.666667],
        [14, 1],
      ],
    ],
    ['everyEpochs that are too few', everyEpochs({ every: 5 }), 4, []],
    // a budget of 0.8 at n = 4: 0.4625, 0.7, 0.7875, 0.8 of the units
    [
      'polynomial (Zhu & Gupta)',
      polynomial(),
      4,
      [
        [1, 0.578125],
        [2, 0.875],
        [3, 0.984375],
        [4, 1],
      ],
    ],
    [
      'polynomial of power 1',
      polynomial({ every: 2, from: 0.5, power: 1 }),
      8,
      [
        [6, 0.5],
        [8, 1],
      ],
    ],
  ] as const) {
    it(name, () => expect(tableOf(schedule, epochs)).toEqual(wanted));
  }

  it('any of them ascend within the phase, and end with the whole budget', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const window = fc
      .tuple(share, share, fc.integer({ min: 1, max: 20 }))
      .filter(([a, b]) => a !== b)
      .map(
        ([a, b, every]): Required<EveryEpochsArgs> => ({
          from: Math.min(a, b),
          until: Math.max(a, b),
          every,
        }),
      );
    fc.assert(
      fc.property(
        window,
        fc.integer({ min: 1, max: 300 }),
        fc.double({ min: 0.1, max: 9, noNaN: true }),
        (args, epochs, power) => {
          for (const schedule of [
            everyEpochs(args),
            polynomial({ ...args, power }),
            oneShot({ after: args.until }),
          ]) {
            // checks the order of the steps
            const { steps } = new Agenda(schedule, epochs);
            for (const { epoch } of steps) {
              expect(epoch).toBeGreaterThan((schedule.from ?? 0) * epochs - 1e-6);
              expect(epoch).toBeLessThanOrEqual(args.until * epochs + 1e-6);
            }
            if (steps.length > 0) expect(steps.at(-1)!.share).toBe(1);
          }
        },
      ),
    );
  });

  it('phases that meet share no epoch', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        fc.integer({ min: 1, max: 300 }),
        (at, epochs) => {
          const [early, late] = [everyEpochs({ until: at }), everyEpochs({ from: at })].map((schedule) =>
            schedule.steps(epochs).map(({ epoch }) => epoch),
          );
          expect([...early!, ...late!]).toEqual(Array.from({ length: epochs }, (_, i) => i + 1));
        },
      ),
    );
  });
});

describe('an agenda', () => {
  const floor = (floor: number, schedule = everyEpochs()) => whileAccuracy({ floor, schedule });
  /** The shares of a training with these accuracies after its epochs, and whether anything may follow each. */
  const run = (
    schedule: Schedule,
    accuracies: readonly (number | undefined)[],
    before?: readonly number[],
  ) => {
    const [agenda, done] = [new Agenda(schedule, 4, before), before?.length ?? 0];
    return accuracies.map((accuracy, i) => [
      agenda.shareAfter(done + i + 1, accuracy),
      agenda.isOpen(done + i + 1),
    ]);
  };
  const [no, open, closed] = [undefined, true, false];

  it('opens with the phase and closes with its last step', () => {
    const agenda = new Agenda(everyEpochs({ every: 2, from: 0.3, until: 0.8 }), 10);
    expect(Array.from({ length: 10 }, (_, done) => agenda.isOpen(done))).toEqual([
      ...[false, false, false, true, true, true, true, false, false, false],
    ]);
  });

  it('waits for the accuracy to reach the floor', () => {
    expect(run(floor(0.5), [0.4, 0.5, 0.6, 0.7])).toEqual([
      [no, open],
      [0.5, open],
      [0.75, open],
      [1, closed],
    ]);
  });

  it('is over once it is lost, and an interruption does not change that', () => {
    const whole = [
      [0.25, open],
      [no, closed],
      [no, closed],
      [no, closed],
    ];
    expect(run(floor(0.5), [0.5, 0.4, 0.9, 0.9])).toEqual(whole);
    expect(run(floor(0.5), [0.9, 0.9], [0.5, 0.4])).toEqual(whole.slice(2));
  });

  it('holds by the higher of two floors', () => {
    for (const schedule of [floor(0.5, floor(0.7)), floor(0.7, floor(0.5))]) {
      expect(run(schedule, [0.8, 0.6]).map(([share]) => share)).toEqual([0.25, no]);
    }
  });

  it('needs an accuracy only where a floor looks at it', () => {
    expect(() => run(floor(0.5), [no])).toThrow(/'every 1 epochs .* at least 0.5' .* validation data/);
    expect(run(everyEpochs(), [no])).toEqual([[0.25, open]]);
    expect(run(floor(0.5, oneShot({ after: 0.5 })), [no])).toEqual([[no, open]]);
  });

  it.each([
    [
      'out of order',
      [
        { epoch: 2, share: 0.5 },
        { epoch: 1, share: 1 },
      ],
    ],
    ['before the first epoch', [{ epoch: 0, share: 1 }]],
    ['after the last', [{ epoch: 5, share: 1 }]],
    ['between epochs', [{ epoch: 1.5, share: 1 }]],
    ['beyond the budget', [{ epoch: 1, share: 1.1 }]],
    [
      'that bring units back',
      [
        { epoch: 1, share: 0.5 },
        { epoch: 2, share: 0.4 },
      ],
    ],
  ])('refuses steps %s', (_, steps) => {
    expect(() => new Agenda({ name: 'mine', steps: () => steps }, 4)).toThrow(/'mine' must have steps/);
  });

  it('refuses a step that comes before its phase begins, when nothing has been seen', () => {
    const mine = { name: 'mine', from: 0.5, steps: () => [{ epoch: 2, share: 1 }] };
    expect(() => new Agenda(mine, 4)).toThrow(/'mine' must have steps after ascending epochs from 3 to 4/);
  });

  it.each([
    () => new Agenda({ every: 5, until: 0.7 } as never, 10),
    () => whileAccuracy({ floor: 0.9, schedule: { every: 5, until: 0.7 } as never }),
    () => whileAccuracy({ floor: 0.9 } as never),
  ])('says how to make one where there is none', (make) => {
    expect(make).toThrow(/schedule must have steps, as that of everyEpochs\(/);
  });
});

it.each([
  [() => everyEpochs({ every: 0 }), 'every must be a whole number of epochs of at least 1, got 0'],
  [() => everyEpochs({ every: 1.5 }), 'every must be'],
  [() => everyEpochs({ until: 0 }), 'until must be above 0 and at most 1, got 0'],
  [() => polynomial({ until: Number.NaN }), 'until must be'],
  [() => everyEpochs({ from: 0.5, until: 0.5 }), 'from must be at least 0 and below until (0.5), got 0.5'],
  [() => polynomial({ from: -1 }), 'from must be'],
  [() => polynomial({ power: 0 }), 'power must be above 0, got 0'],
  [() => oneShot({ after: 0 }), 'after must be above 0 and at most 1, got 0'],
  [() => oneShot({ after: 20 }), 'got 20'],
  [() => whileAccuracy({ floor: 91, schedule: everyEpochs() }), 'an accuracy from 0 to 1, got 91'],
])('%s is refused at once', (make, message) => expect(make).toThrow(message));
