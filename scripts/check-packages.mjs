// Packs every workspace as npm would publish it, lints the tarballs, and uses them in an empty project.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { root } from './setup.mjs';

const workspaces = ['packages', 'apps'].flatMap((folder) =>
  readdirSync(join(root, folder)).map((name) => join(root, folder, name)),
);
const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const licenseOf = (folder) => {
  const path = join(folder, 'LICENSE');
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
};
const project = mkdtempSync(join(tmpdir(), 'espalier-packages-'));
const npm = (args, cwd = root) =>
  execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd, encoding: 'utf8' });

let problems = 0;
try {
  const tarballs = [];
  for (const folder of workspaces) {
    const [{ filename, files }] = JSON.parse(npm(['pack', folder, '--json', '--pack-destination', project]));
    tarballs.push(join(project, filename));
    const paths = files.map(({ path }) => path);
    const { messages } = await publint({ pkgDir: folder, pack: false, strict: true });
    const manifest = manifestOf(folder);
    const found = [
      ...messages.map((message) => formatMessage(message, manifest)),
      ...paths.filter((path) => /\.test\.|^src\//.test(path)).map((path) => `${path} should not be packed`),
      ...['README.md', 'LICENSE']
        .filter((name) => !paths.includes(name))
        .map((name) => `${name} is not packed`),
      ...(licenseOf(folder) === licenseOf(root) ? [] : ["LICENSE is not a copy of the repository's"]),
    ];
    for (const message of found) console.error(`${manifest.name}: ${message}`);
    problems += found.length;
  }

  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ name: 'empty', private: true, type: 'module' }),
  );
  const peers = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers'].map(
    (name) => `${name}@${manifestOf(root).devDependencies[name]}`,
  );
  npm(['install', ...tarballs, ...peers], project);
  const entries = workspaces
    .map(manifestOf)
    .filter(({ bin }) => !bin)
    .flatMap(({ name, exports }) => Object.keys(exports).map((path) => name + path.slice(1)))
    // registers tests, so it needs a test runner
    .filter((entry) => entry !== '@espalier/core/testing');
  writeFileSync(join(project, 'use.mjs'), useOfAll(entries));
  execFileSync('node', ['use.mjs'], { cwd: project, stdio: ['ignore', 'inherit', 'inherit'] });
  for (const { bin } of workspaces.map(manifestOf).filter((manifest) => manifest.bin)) {
    for (const name of Object.keys(bin)) {
      execFileSync(join(project, 'node_modules', '.bin', name), ['--help'], { stdio: 'ignore' });
    }
  }
  if (problems === 0) console.log(`${workspaces.length} packages pack, install and run in an empty project`);
} finally {
  rmSync(project, { recursive: true, force: true });
}
process.exitCode = problems > 0 ? 1 : 0;

/** A program that imports every entry and prunes a model with the installed packages. */
function useOfAll(entries) {
  return `
${entries.map((entry) => `await import('${entry}');`).join('\n')}
const { useEngine } = await import('@espalier/engine');
const { analyze, plan, shrink } = await import('@espalier/core');
const { mlp } = await import('@espalier/models');
const { random } = await import('@espalier/pruner-random');
await useEngine('cpu');
const model = mlp({ hidden: [8] });
const small = await shrink(model, await plan(model, { pruner: random({ seed: 1 }), budget: { fraction: 0.5 } }));
if (!(analyze(small).cost.params < analyze(model).cost.params)) throw new Error('nothing was pruned');
`;
}
