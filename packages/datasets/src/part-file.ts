import { randomUUID } from 'node:crypto';
import { readdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** The leftovers of broken downloads of `target` that no living process is writing. */
const leftovers = async (target: string): Promise<string[]> => {
  const own = `${basename(target)}.`;
  const names = await readdir(dirname(target));
  return names
    .filter((name) => {
      if (!name.startsWith(own) || !name.endsWith('part')) return false;
      const pid = /^(\d+)-/.exec(name.slice(own.length))?.[1];
      return pid === undefined || !alive(Number(pid));
    })
    .map((name) => join(dirname(target), name));
};

/**
 * The path of a file of our own to download `target` into; it may hold the beginning already. The name
 * carries the process: two processes never append to one file, and what a killed one left is taken over.
 */
export const claimPartFile = async (target: string): Promise<string> => {
  const own = `${target}.${process.pid}-${randomUUID().slice(0, 8)}.part`;
  for (const leftover of await leftovers(target)) {
    // Fails where another process was faster.
    const claimed = await rename(leftover, own).then(
      () => true,
      () => false,
    );
    if (claimed) break;
  }
  return own;
};

/** Leaves a broken download for the next attempt. */
export const releasePartFile = async (own: string, target: string): Promise<void> => {
  // Nothing to leave where not one byte came.
  await rename(own, `${target}.part`).catch(() => {});
};
