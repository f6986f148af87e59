import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it, one by one: Node's own `recursive` never returns where none can be made
 * (/proc).
 *
 * @throws as Node does, if it can't be made.
 */
export const makeFolder = async (path: string): Promise<void> => {
  if (await isFolder(path)) return;
  await makeFolder(dirname(path));
  await mkdir(path).catch(async (error: unknown) => {
    // another process may have made it meanwhile
    if (!(await isFolder(path))) throw error;
  });
};

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
