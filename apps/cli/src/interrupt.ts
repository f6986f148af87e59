import { Interrupted } from './errors.ts';
import type { Io } from './io.ts';

/**
 * Runs work that Ctrl-C ends at its next call of `check`, so that it can leave things in order. `advice` is
 * asked then what to tell the user.
 */
export async function interruptible<T>(
  io: Io,
  advice: () => string,
  work: (check: () => void) => Promise<T>,
): Promise<T> {
  let pressed = false;
  const stop = io.onInterrupt(() => {
    pressed = true;
  });
  try {
    return await work(() => {
      if (pressed) throw new Interrupted(`interrupted: ${advice()}`);
    });
  } finally {
    stop();
  }
}
