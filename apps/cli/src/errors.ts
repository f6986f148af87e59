import { CommanderError } from 'commander';

/** What the exit status says; a signal's is 128 and its number, as shells have it. */
export const exitCodes = { ok: 0, failure: 1, usage: 2, SIGINT: 130, SIGTERM: 143 } as const;

/** How the user, or the system, asks a program to end: Ctrl-C is SIGINT. */
export type Interruption = 'SIGINT' | 'SIGTERM';

/** The command line asks for what can't be. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The user pressed Ctrl-C, or the system wants the process to end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly by: Interruption;

  constructor(message: string, by: Interruption) {
    super(message);
    this.by = by;
  }
}

/** Runs what only checks arguments: what it throws is the command line's fault. */
export const asUsage = <T>(work: () => T): T => {
  try {
    return work();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
};

const fileProblems: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space or choose another folder',
  EDQUOT: 'the disk quota is used up: free some space or choose another folder',
  EACCES: 'permission denied: change its permissions or choose another place',
  EPERM: 'permission denied: change its permissions or choose another place',
  EROFS: 'the file system is read-only: choose another place',
  ENOENT: 'there is no such file or folder: check the path',
  ENOTDIR: 'a file stands where a folder is needed: choose another place',
  EISDIR: 'it is a folder, not a file: check the path',
};

const oneLine = (text: string): string => text.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');

/** Why a file operation failed, without the path. */
export const reasonOf = (error: unknown): string =>
  fileProblems[(error as NodeJS.ErrnoException).code ?? ''] ??
  oneLine(error instanceof Error ? error.message : String(error));

/** What went wrong on one line, with advice. */
export const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const { code, path } = error as NodeJS.ErrnoException;
  // a message of Node's own
  const isRaw = code !== undefined && code in fileProblems && error.message.startsWith(code);
  return isRaw ? `${path ?? 'a file'}: ${reasonOf(error)}` : oneLine(error.message);
};

/** Whether an error is a fault of ours: what the command line, files and data do wrong has words of its own. */
export const isUnexpected = (error: unknown): boolean =>
  !(error instanceof Error) || /^(Type|Range|Reference|Syntax|Runtime)Error$/.test(error.name);

/** The line that an error is shown as. */
export const lineOf = (error: unknown, debug: boolean): string =>
  isUnexpected(error)
    ? `espalier: unexpected error: ${messageOf(error)}${debug ? '' : ' (run with --debug for the stack)'}`
    : `error: ${messageOf(error)}`;

export const exitCodeOf = (error: unknown): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof UsageError) return exitCodes.usage;
  if (error instanceof Interrupted) return exitCodes[error.by];
  return exitCodes.failure;
};
