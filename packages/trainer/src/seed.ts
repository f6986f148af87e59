import seedrandom from 'seedrandom';

// There is one Math.random: two overlapping works would draw from each other's, and leave one of them behind.
let queue: Promise<unknown> = Promise.resolve();

/**
 * Runs `work` with a seeded `Math.random`, and puts the old one back; what is called meanwhile waits its
 * turn, so `work` must not await another `withSeed`. tfjs draws from `Math.random` the order of the examples
 * in `model.fit` and the seeds of dropout, and offers no other way to seed them.
 */
export function withSeed<T>(seed: number | string, work: () => Promise<T>): Promise<T> {
  const done = queue.then(() => seeded(seed, work));
  queue = done.catch(() => undefined);
  return done;
}

async function seeded<T>(seed: number | string, work: () => Promise<T>): Promise<T> {
  const { random } = Math;
  Math.random = seedrandom.alea(String(seed));
  try {
    return await work();
  } finally {
    Math.random = random;
  }
}
