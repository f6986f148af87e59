import seedrandom from 'seedrandom';

/**
 * Runs `work` with a seeded `Math.random`, and puts the old one back. tfjs draws from it the order of the
 * examples in `model.fit` and the seeds of dropout, and offers no other way to seed them.
 */
export async function withSeed<T>(seed: number | string, work: () => Promise<T>): Promise<T> {
  const { random } = Math;
  Math.random = seedrandom.alea(String(seed));
  try {
    return await work();
  } finally {
    Math.random = random;
  }
}
