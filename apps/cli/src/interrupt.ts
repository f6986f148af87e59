import { Interrupted, type Interruption } from './errors.ts';
import type { Io } from './io.ts';

/**
 * Runs work that Ctrl-C or SIGTERM ends at its next call of `check`, so that it can leave things in order.
 * `advice` is asked then what to tell the user.
 */
export async function interruptible<T>(
  io: Io,
  advice: () => string,
  work: (check: () => void) => Promise<T>,
): Promise<T> {
  let asked: Interruption | undefined;
  const stop = io.onInterrupt((by) => {
    asked = by;
  });
  try {
    return await work(() => {
      if (asked) throw new Interrupted(`interrupted: ${advice()}`, asked);
    });
  } finally {
    stop();
  }
}
