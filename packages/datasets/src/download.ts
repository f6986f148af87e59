import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from './folder.ts';
import { claimPartFile, releasePartFile } from './part-file.ts';

/** How long to wait, in milliseconds. */
export interface Patience {
  /** For the first answer, over all addresses together. */
  readonly connect: number;
  /** For the next bytes of an answer that has begun. */
  readonly idle: number;
}

/** A little under five seconds, so that "no network" is said within five. */
export const patience: Patience = { connect: 4500, idle: 10_000 };

/** One file to download. */
export interface Download {
  /** Tried in turn. */
  readonly urls: readonly string[];
  /** Where the file comes to lie once it is complete and right. */
  readonly target: string;
  /** No right answer is longer. */
  readonly maxBytes: number;
  /** What is wrong with a complete file, or undefined. */
  check(path: string): Promise<string | undefined>;
}

/** What came of a download; `wrong` says that whole files came, but not the right ones. */
export type Outcome =
  | { readonly ok: true; readonly host: string }
  | { readonly ok: false; readonly wrong: boolean; readonly reasons: readonly string[] };

/** How often one address may break off, each time after some more bytes. */
const BREAKS = 4;

const sizeOf = async (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

const reasonOf = (error: unknown): string => {
  const { message, cause } = error as Error;
  // fetch says no more than "fetch failed"; its cause says why.
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  return cause instanceof Error ? cause.message : message;
};

/** Adds to the file what `url` has beyond the bytes in it; comes back when the answer is complete. */
const append = async (url: string, path: string, maxBytes: number, wait: Patience): Promise<void> => {
  const have = await sizeOf(path);
  const stop = new AbortController();
  const giveUp = (after: number, what: string): NodeJS.Timeout =>
    setTimeout(() => stop.abort(new Error(`${what} within ${(after / 1000).toFixed(1)} s`)), after);
  let timer = giveUp(wait.connect, 'no answer');
  try {
    const range: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {};
    // A range counts the file's own bytes, so nothing may be encoded on the way.
    const headers = { ...range, 'accept-encoding': 'identity' };
    const response = await fetch(url, { headers, signal: stop.signal });
    const resumes = response.status === 206;
    const elsewhere = resumes && !response.headers.get('content-range')?.startsWith(`bytes ${have}-`);
    if (response.status === 416 || elsewhere) {
      stop.abort();
      await rm(path, { force: true });
      throw new Error('could not go on where the download broke off');
    }
    if (!response.ok || response.body === null) {
      stop.abort();
      throw new Error(`answered with HTTP ${response.status}`);
    }
    // Any other answer than 206 starts from the beginning, whatever was asked for.
    const file = await open(path, resumes ? 'a' : 'w');
    let size = resumes ? have : 0;
    try {
      for await (const chunk of response.body) {
        clearTimeout(timer);
        timer = giveUp(wait.idle, 'no more bytes');
        await file.appendFile(chunk);
        size += chunk.length;
        if (size > maxBytes) break;
      }
    } finally {
      await file.close();
    }
  } finally {
    clearTimeout(timer);
  }
};

/** Goes on from where an answer breaks off, as long as each one brings something. */
const fetchWhole = async (url: string, path: string, maxBytes: number, wait: Patience): Promise<void> => {
  for (let breaks = 0; ; breaks++) {
    const before = await sizeOf(path);
    try {
      return await append(url, path, maxBytes, wait);
    } catch (error) {
      if ((await sizeOf(path)) === before || breaks === BREAKS) throw error;
    }
  }
};

/** Downloads from one address; gives what is wrong with the file that came, or undefined. */
const fetchRight = async (
  url: string,
  path: string,
  { maxBytes, check }: Download,
  wait: Patience,
): Promise<string | undefined> => {
  const resumed = (await sizeOf(path)) > 0;
  await fetchWhole(url, path, maxBytes, wait);
  let problem = await check(path);
  if (problem !== undefined && resumed) {
    // The fault may lie in the bytes from before: once more from the beginning.
    await rm(path);
    await fetchWhole(url, path, maxBytes, wait);
    problem = await check(path);
  }
  if (problem !== undefined) await rm(path);
  return problem;
};

/**
 * Downloads a file under another name, checks it, and only then gives it its own. A download that breaks
 * off, now or in an earlier process, is resumed where the server can do that.
 */
export const download = async (job: Download, wait: Patience = patience): Promise<Outcome> => {
  const reasons: string[] = [];
  let wrong = false;
  try {
    await makeFolder(dirname(job.target));
    const path = await claimPartFile(job.target);
    let left = wait.connect;
    for (const [i, url] of job.urls.entries()) {
      const host = new URL(url).host;
      const connect = left / (job.urls.length - i);
      const start = Date.now();
      try {
        const problem = await fetchRight(url, path, job, { ...wait, connect });
        if (problem === undefined) {
          await rename(path, job.target);
          return { ok: true, host };
        }
        wrong = true;
        reasons.push(`what ${host} sent is not the file (${problem})`);
      } catch (error) {
        reasons.push(`${host}: ${reasonOf(error)}`);
      }
      left -= Math.min(connect, Date.now() - start);
    }
    await releasePartFile(path, job.target);
  } catch (error) {
    reasons.push(`the cache cannot be written: ${reasonOf(error)}`);
  }
  return { ok: false, wrong, reasons };
};
