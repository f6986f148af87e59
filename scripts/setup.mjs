// What both commands of a fresh clone begin with: install what is missing and build what has changed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a command to its end; a failure ends this process with the same exit code. */
export function run(command, args, { env = {} } = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
    shell: process.platform === 'win32',
  });
  if (error) console.error(`${command} could not be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** Installs the locked packages unless this lock file is installed already. */
export function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.espalier-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  // not ci: it refuses a lock file made where a registry lacks other platforms' optional binaries
  run('npm', ['install', '--no-audit', '--no-fund']);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, lock);
}

/** Builds the packages that changed since the last build. */
export function build() {
  run('npm', ['run', '--silent', 'build'], { env: { TURBO_TELEMETRY_DISABLED: '1' } });
}
