/** A stream that text goes to; a terminal has a width. */
export type Sink = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** What the command line touches of the process that it runs in. */
export interface Io {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Calls back at Ctrl-C, until the returned function is called. */
  onInterrupt(callback: () => void): () => void;
}

/** The real one. */
export const processIo = (): Io => {
  // whoever reads us may have read enough: `espalier inspect x | head`
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      throw error;
    });
  }
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    onInterrupt(callback) {
      // a second Ctrl-C finds no listener and ends the process
      process.once('SIGINT', callback);
      return () => process.off('SIGINT', callback);
    },
  };
};
