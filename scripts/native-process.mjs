// How `npm run native` runs other programs, speaks, and ends.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the process ends with: 0 means that the engine trains. */
export const BROKEN = 1;
export const MISSING = 3;
export const UNREACHABLE = 4;

/** Runs a program to its end; `output` is all that it said. */
export function call(command, args, { cwd, env = {}, timeout = 0 } = {}) {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    timeout,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, ...env },
    shell: process.platform === 'win32' && command === 'npm',
  });
  return { status, signal, output: `${stdout ?? ''}${stderr ?? ''}${error ? `${error.message}\n` : ''}` };
}

/** Ends with what is wrong and what to do; the whole `output` goes into a log in `folder`. */
export function fail(code, what, remedy, { output, folder } = {}) {
  const log = output && join(folder, 'log.txt');
  if (log) writeFileSync(log, output);
  console.error(`native: ${what}. What to do: ${remedy}.${log ? `\nnative: log: ${log}` : ''}`);
  process.exit(code);
}

/** Ends with all programs at once that are not here: `{ name, args, what, debian }` each. */
export function need(programs) {
  const missing = programs.filter(({ name, args }) => call(name, args).status !== 0);
  if (missing.length === 0) return;
  const list = missing.map(({ what }) => what).join(', ');
  const packages = missing.map(({ debian }) => debian).join(' ');
  fail(MISSING, `not here: ${list}`, `install (on Debian: apt-get install ${packages}) and run this again`);
}

/** Ends with why a download failed: a registry out of reach is no fault of this machine's. */
export function failFetching(tool, { output, folder }) {
  const blocked =
    /E(NOTFOUND|AI_AGAIN|CONN(REFUSED|RESET)|TIMEDOUT|HOSTUNREACH|NETUNREACH)|ERR_SOCKET|NewConnectionError|Connection(Error| broken| refused)|Max retries|Read timed out|ProxyError|40[37] (Forbidden|Proxy)/i;
  if (blocked.test(output)) {
    fail(UNREACHABLE, `${tool} can't reach its registry`, 'run this again where it can', { output, folder });
  }
  fail(BROKEN, `${tool} failed`, 'read the log', { output, folder });
}

/** Keeps a second one of these out until this process ends: both would write the same files. */
export function lock(path) {
  if (existsSync(path)) {
    const pid = Number(readFileSync(path, 'utf8'));
    if (isRunning(pid)) fail(BROKEN, `process ${pid} is making it already`, 'wait for that one');
    rmSync(path);
  }
  writeFileSync(path, String(process.pid), { flag: 'wx' });
  process.once('exit', () => rmSync(path, { force: true }));
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export function say(text) {
  console.log(`native: ${text}`);
}

export function step(name) {
  say(`${name} ...`);
}
