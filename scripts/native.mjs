// `npm run native`: makes @tensorflow/tfjs-node work on this machine, in a cache outside the source tree. The
// ordinary install where it succeeds; where its download is blocked, the library from the Python package
// tensorflow-cpu and a binding built here. Each step looks at what is there: run it again after a failure.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { build, install, root } from './setup.mjs';

/** What this process ends with: 0 means that it trains. */
const BROKEN = 1;
const MISSING = 3;
const UNREACHABLE = 4;

const NAME = '@tensorflow/tfjs-node';
const WHEEL = 'tensorflow-cpu==2.15.1';
const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
const HEADERS = ['include/tensorflow/c/', 'include/tensorflow/core/platform/', 'include/tsl/'];
/** python3 -c UNPACK <wheel> <folder> <library>... <header folder>...: only what is needed, of 700 MB. */
const UNPACK = `
import os, shutil, sys, zipfile
wheel, folder, *wanted = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for entry in archive.infolist():
        path = entry.filename.removeprefix('tensorflow/')
        if entry.is_dir() or not path.startswith(tuple(wanted)):
            continue
        target = os.path.join(folder, path if path.startswith('include/') else 'lib/' + path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with archive.open(entry) as source, open(target, 'wb') as copy:
            shutil.copyfileobj(source, copy)
`;

install();
build();
const { NATIVE_VERSION, nativeFolder } = await import('../packages/engine/dist/native.js');
const folder = resolve(nativeFolder());
const work = `${folder}.partial`;
const addon = (base) => join(base, 'node_modules', NAME);

if (existsSync(addon(folder))) {
  const { works, why } = check(folder);
  if (works) finish(`${works}, in ${folder}`);
  say(`what is in ${folder} does not work (${why}); making it anew`);
}
whileLocked(() => {
  mkdirSync(work, { recursive: true });
  fetchPackages();
  if (!isBuilt() && !existsSync(join(work, 'linked'))) ordinaryInstall();
  if (!isBuilt()) link();
  const { works, why } = check(work);
  if (!works) fail(BROKEN, `it was made, but can't train: ${why}`, `rm -r ${work}, and run this again`);
  rmSync(folder, { recursive: true, force: true });
  renameSync(work, folder);
  say(`${works}, in ${folder}`);
});

function fetchPackages() {
  if (existsSync(join(work, 'fetched'))) return;
  step('packages');
  rmSync(join(work, 'node_modules'), { recursive: true, force: true });
  const dependencies = { [NAME]: NATIVE_VERSION, 'node-gyp': '^11.5.0' };
  writeFileSync(join(work, 'package.json'), JSON.stringify({ private: true, dependencies }));
  const { status, output } = call('npm', [
    ...['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    ...['--fetch-retries=1', '--fetch-timeout=60000'],
  ]);
  if (status !== 0) failFetching('npm', output);
  writeFileSync(join(work, 'fetched'), '');
}

/** The package's own install script, which downloads the library and the binding, or builds that. */
function ordinaryInstall() {
  step('ordinary install');
  const limit = canLink() ? 180_000 : 0;
  const tools = join(work, 'node_modules', '.bin');
  const { status } = call(process.execPath, [join('scripts', 'install.js')], {
    cwd: addon(work),
    env: { PATH: `${tools}${delimiter}${process.env.PATH}` },
    timeout: limit,
  });
  if (status === 0 && isBuilt() && check(work).works) return;
  for (const part of ['deps', 'lib', 'build'])
    rmSync(join(addon(work), part), { recursive: true, force: true });
  say('its download is blocked or its binding does not load here');
}

function link() {
  if (!canLink()) {
    fail(
      MISSING,
      `the ordinary install failed, and the other way is for Linux on x64 with glibc`,
      `let ${NAME}'s install script reach its storage host, or do without: wasm needs nothing`,
    );
  }
  writeFileSync(join(work, 'linked'), '');
  need('python3', ['--version'], 'Python 3', 'python3');
  need('make', ['--version'], 'make', 'make');
  need('g++', ['--version'], 'a C++ compiler', 'g++');
  takeLibrary();
  buildBinding();
}

/** The C library and its headers, out of the Python package. */
function takeLibrary() {
  const deps = join(addon(work), 'deps');
  if (existsSync(deps)) return;
  need('python3', ['-m', 'pip', '--version'], 'pip for python3', 'python3-pip');
  step(`${WHEEL} (230 MB)`);
  const wheels = join(work, 'wheel');
  const { status, output } = call('python3', [
    ...['-m', 'pip', 'download', WHEEL, '--no-deps', '--only-binary=:all:', '--dest', wheels],
    ...['--python-version', '3.11', '--platform', 'manylinux2014_x86_64'],
    ...['--retries', '2', '--timeout', '30', '--progress-bar', 'off', '--disable-pip-version-check'],
  ]);
  if (status !== 0) failFetching('pip', output);

  step('unpacking');
  const [wheel] = readdirSync(wheels);
  rmSync(`${deps}.partial`, { recursive: true, force: true });
  must('python3', ['-c', UNPACK, join(wheels, wheel), `${deps}.partial`, ...LIBRARIES, ...HEADERS]);
  const library = join(`${deps}.partial`, 'lib');
  symlinkSync(LIBRARIES[0], join(library, 'libtensorflow.so'));
  symlinkSync(LIBRARIES[1], join(library, 'libtensorflow_framework.so'));
  renameSync(`${deps}.partial`, deps);
  rmSync(wheels, { recursive: true });
}

function buildBinding() {
  step('building the binding');
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, 'include', 'node', 'node_api.h'));
  const binding = join(addon(work), 'lib', 'napi-v8');
  const { status, output } = call(
    process.execPath,
    [
      ...[join(work, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js'), 'rebuild'],
      ...['--module_name=tfjs_binding', `--module_path=${binding}.partial`],
      ...['--napi_build_version=8', '--napi_version=8'],
      ...(headers ? [`--nodedir=${prefix}`] : []),
    ],
    { cwd: addon(work) },
  );
  if (status !== 0) {
    const remedy = headers
      ? 'read the log; the compiler must know C++17'
      : `install Node's headers under ${prefix}/include/node, or let node-gyp download them`;
    fail(headers ? BROKEN : MISSING, 'the binding was not built', remedy, output);
  }
  renameSync(`${binding}.partial`, binding);
  rmSync(join(addon(work), 'build'), { recursive: true, force: true });
}

/** Whether a step of training runs on the binding in this folder. */
function check(base) {
  const env = { ESPALIER_NATIVE_DIR: base, TF_CPP_MIN_LOG_LEVEL: '2' };
  const { status, signal, output } = call(process.execPath, [join(root, 'scripts', 'native-check.mjs')], {
    cwd: root,
    env,
    timeout: 120_000,
  });
  if (status === 0) return { works: `it trains: ${output.trim().split('\n').at(-1)}` };
  if (signal === 'SIGILL') return { why: 'illegal instruction: the library needs a processor with AVX' };
  const error = output.split('\n').find((line) => /^\S*Error\b/.test(line));
  return { why: error ?? output.trim() ?? `exit code ${status}, signal ${signal}` };
}

function isBuilt() {
  const lib = join(addon(work), 'lib');
  return existsSync(lib) && readdirSync(lib).some((name) => existsSync(join(lib, name, 'tfjs_binding.node')));
}

function canLink() {
  const { glibcVersionRuntime } = process.report.getReport().header;
  return process.platform === 'linux' && process.arch === 'x64' && glibcVersionRuntime !== undefined;
}

/** Two of these at once would write the same files. */
function whileLocked(job) {
  const lock = `${folder}.lock`;
  mkdirSync(dirname(lock), { recursive: true });
  if (existsSync(lock)) {
    const pid = Number(readFileSync(lock, 'utf8'));
    if (isRunning(pid)) fail(BROKEN, `process ${pid} is making it already`, 'wait for that one');
    rmSync(lock);
  }
  writeFileSync(lock, String(process.pid), { flag: 'wx' });
  process.once('exit', () => rmSync(lock, { force: true }));
  job();
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function call(command, args, { cwd = work, env = {}, timeout = 0 } = {}) {
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

function must(command, args) {
  const { status, output } = call(command, args);
  if (status !== 0) fail(BROKEN, `${command} failed`, 'read the log', output);
}

function need(command, args, what, packageName) {
  if (call(command, args).status === 0) return;
  fail(
    MISSING,
    `${what} is missing`,
    `install it (Debian: apt-get install ${packageName}) and run this again`,
  );
}

function failFetching(tool, output) {
  const blocked =
    /E(NOTFOUND|AI_AGAIN|CONN(REFUSED|RESET)|TIMEDOUT|HOSTUNREACH|NETUNREACH)|ERR_SOCKET|NewConnectionError|Connection(Error| broken| refused)|Max retries|Read timed out|ProxyError|40[37] (Forbidden|Proxy)/i;
  if (blocked.test(output)) {
    fail(UNREACHABLE, `${tool} can't reach its registry`, 'run this again where it can', output);
  }
  fail(BROKEN, `${tool} failed`, 'read the log', output);
}

function fail(code, what, remedy, output) {
  const log = join(work, 'log.txt');
  if (output) writeFileSync(log, output);
  console.error(`native: ${what}. What to do: ${remedy}.${output ? `\nnative: log: ${log}` : ''}`);
  process.exit(code);
}

function finish(text) {
  say(text);
  process.exit(0);
}

function say(text) {
  console.log(`native: ${text}`);
}

function step(name) {
  say(`${name} ...`);
}
