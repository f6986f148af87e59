import { writeSync } from 'node:fs';
import { exitCodes, type Interruption, lineOf, reasonOf } from './errors.ts';

/** A stream that text goes to; a terminal has a width. */
export type Sink = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** What the command line touches of the process that it runs in. */
export interface Io {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Calls back once at Ctrl-C or SIGTERM, unless the returned function was called before. */
  onInterrupt(callback: (by: Interruption) => void): () => void;
}

const interruptions: readonly Interruption[] = ['SIGINT', 'SIGTERM'];

/** The real one. The process ends when its output can't be written, and at errors that nobody waits for. */
export const processIo = (): Io => {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // whoever reads us has read enough: `espalier inspect x | head`
    if (error.code === 'EPIPE') process.exit(exitCodes.ok);
    endWith(`error: can't write the output: ${reasonOf(error)}`);
  });
  // there is nowhere left to say why
  process.stderr.on('error', () => process.exit(exitCodes.failure));
  process.on('uncaughtException', (error) => {
    const debug = process.argv.includes('--debug');
    endWith(`${lineOf(error, debug)}${debug ? `\n${error.stack}` : ''}`);
  });
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    onInterrupt(callback) {
      const stop = (): void => {
        for (const name of interruptions) process.off(name, listen);
      };
      const listen = (by: Interruption): void => {
        // a second Ctrl-C finds no listener and ends the process
        stop();
        callback(by);
      };
      for (const name of interruptions) process.on(name, listen);
      return stop;
    },
  };
};

function endWith(text: string): never {
  try {
    // at once: the process doesn't wait for a stream
    writeSync(process.stderr.fd, `${text}\n`);
  } catch {
    // the exit status says it
  }
  process.exit(exitCodes.failure);
}
