// `npm run native`: makes @tensorflow/tfjs-node work on this machine, in a cache outside the source tree. The
// ordinary install where it succeeds; where its download is blocked, the library from the Python package
// tensorflow-cpu and a binding built here. Each step looks at what is there: run it again after a failure.
import { existsSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { BROKEN, call, fail, failFetching, lock, MISSING, need, say, step } from './native-process.mjs';
import { build, install, root } from './setup.mjs';

const NAME = '@tensorflow/tfjs-node';
/** The last one whose C++ interface the binding knows. */
const WHEEL = 'tensorflow-cpu==2.15.1';
/** Of its wheel for Python 3.11 on Linux, x64, as published. */
const WHEEL_SHA256 = '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26';
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

/** What the second way takes. node-gyp asks for Python, too, so there is no doing without. */
const PROGRAMS = [
  { name: 'python3', args: ['--version'], what: 'Python 3', debian: 'python3' },
  { name: 'make', args: ['--version'], what: 'make', debian: 'make' },
  { name: 'g++', args: ['--version'], what: 'a C++ compiler', debian: 'g++' },
];
const PIP = { name: 'python3', args: ['-m', 'pip', '--version'], what: 'pip', debian: 'python3-pip' };

install();
build();
const { NATIVE_VERSION, nativeFolder } = await import('../packages/engine/dist/native.js');
const { makeFolder } = await import('../packages/engine/dist/io/folder.js');
const folder = resolve(nativeFolder());
const work = `${folder}.partial`;
const addon = (base) => join(base, 'node_modules', NAME);

if (existsSync(addon(folder))) {
  const { works, why } = check(folder);
  if (works) {
    say(`${works}, in ${folder}`);
    process.exit(0);
  }
  say(`what is in ${folder} does not work (${why}); making it anew`);
}
await makeFolder(work).catch(({ message }) => {
  fail(BROKEN, `the cache can't be written (${message})`, 'name another folder in ESPALIER_CACHE_DIR');
});
lock(`${folder}.lock`);
fetchPackages();
if (!isBuilt() && !existsSync(join(work, 'linked'))) ordinaryInstall();
if (!isBuilt()) link();
const { works, why } = check(work);
if (!works) fail(BROKEN, `it was made, but can't train: ${why}`, `rm -r ${work}, and run this again`);
rmSync(folder, { recursive: true, force: true });
renameSync(work, folder);
say(`${works}, in ${folder}`);

function fetchPackages() {
  if (existsSync(join(work, 'fetched'))) return;
  step('packages');
  rmSync(join(work, 'node_modules'), { recursive: true, force: true });
  const dependencies = { [NAME]: NATIVE_VERSION, 'node-gyp': '^11.5.0' };
  writeFileSync(join(work, 'package.json'), JSON.stringify({ private: true, dependencies }));
  const options = [
    ...['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    ...['--fetch-retries=1', '--fetch-timeout=60000'],
  ];
  const { status, output } = call('npm', options, { cwd: work });
  if (status !== 0) failFetching('npm', { output, folder: work });
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
      'the ordinary install failed, and the other way is for Linux on x64 with glibc',
      `let ${NAME}'s install script reach its storage host, or do without: wasm needs nothing`,
    );
  }
  writeFileSync(join(work, 'linked'), '');
  const deps = join(addon(work), 'deps');
  need(existsSync(deps) ? PROGRAMS : [...PROGRAMS, PIP]);
  if (!existsSync(deps)) takeLibrary(deps);
  buildBinding();
}

/** The C library and its headers, out of the Python package. */
function takeLibrary(deps) {
  step(`${WHEEL} (207 MB)`);
  const wheels = join(work, 'wheel');
  const wanted = join(work, 'wheel.txt');
  writeFileSync(wanted, `${WHEEL} --hash=sha256:${WHEEL_SHA256}\n`);
  const download = call('python3', [
    ...['-m', 'pip', 'download', '--requirement', wanted, '--require-hashes', '--no-deps', '--dest', wheels],
    ...['--only-binary=:all:', '--python-version', '3.11', '--platform', 'manylinux2014_x86_64'],
    ...['--retries', '2', '--timeout', '30', '--progress-bar', 'off', '--disable-pip-version-check'],
  ]);
  if (download.status !== 0) failFetching('pip', { output: download.output, folder: work });

  step('unpacking');
  const partial = `${deps}.partial`;
  rmSync(partial, { recursive: true, force: true });
  const [wheel] = readdirSync(wheels);
  const unpack = ['-c', UNPACK, join(wheels, wheel), partial, ...LIBRARIES, ...HEADERS];
  const { status, output } = call('python3', unpack);
  if (status !== 0) fail(BROKEN, 'unpacking failed', 'read the log', { output, folder: work });
  symlinkSync(LIBRARIES[0], join(partial, 'lib', 'libtensorflow.so'));
  symlinkSync(LIBRARIES[1], join(partial, 'lib', 'libtensorflow_framework.so'));
  renameSync(partial, deps);
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
    fail(headers ? BROKEN : MISSING, 'the binding was not built', remedy, { output, folder: work });
  }
  rmSync(binding, { recursive: true, force: true });
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
  return { why: error || output.trim() || `exit code ${status}, signal ${signal}` };
}

function isBuilt() {
  const lib = join(addon(work), 'lib');
  const folders = existsSync(lib) ? readdirSync(lib).filter((name) => !name.endsWith('.partial')) : [];
  return folders.some((name) => existsSync(join(lib, name, 'tfjs_binding.node')));
}

function canLink() {
  const { glibcVersionRuntime } = process.report.getReport().header;
  return process.platform === 'linux' && process.arch === 'x64' && glibcVersionRuntime !== undefined;
}
