import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { Interruption } from '../errors.ts';
import type { Io } from '../io.ts';
import { main } from '../main.ts';

/** What a command line came to. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What `--json` printed. */
  readonly json: Record<string, unknown>;
}

/** What to do while a command runs. */
export interface Hooks {
  readonly env?: Readonly<Record<string, string>>;
  /** Sees every piece of stderr; `interrupt` is Ctrl-C, or another signal. */
  readonly onStderr?: (text: string, interrupt: (by?: Interruption) => void) => void;
}

/** Runs a command line in this process, as if piped. */
export async function run(
  line: string | readonly string[],
  { env = {}, onStderr }: Hooks = {},
): Promise<Outcome> {
  const texts = { out: '', err: '' };
  const listeners = new Set<(by: Interruption) => void>();
  const interrupt = (by: Interruption = 'SIGINT'): void => {
    for (const listener of listeners) listener(by);
  };
  const sink = (name: 'out' | 'err'): Writable =>
    new Writable({
      decodeStrings: false,
      write(text: string, _, done) {
        texts[name] += text;
        if (name === 'err') onStderr?.(text, interrupt);
        done();
      },
    });
  const io: Io = {
    stdout: sink('out'),
    stderr: sink('err'),
    env,
    onInterrupt(callback) {
      listeners.add(callback);
      return () => listeners.delete(callback);
    },
  };
  const code = await main(typeof line === 'string' ? line.split(' ') : line, io);
  return {
    code,
    ...texts,
    get json() {
      return JSON.parse(texts.out) as Record<string, unknown>;
    },
  };
}

/** Lends an empty folder. */
export async function temporaryFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'espalier-cli-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** A dataset that is drawn in no time, on an engine that all have. */
export const tiny = '--dataset glyphs --as features --rows 600 --engine wasm';
