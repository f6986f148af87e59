import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { benchmarks, resultOf, withTable } from './readme-table.mjs';

const root = join(import.meta.dirname, '..');
const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8');
const workspaces = ['packages', 'apps'].flatMap((folder) =>
  readdirSync(join(root, folder)).map((name) => join(folder, name)),
);
const pruners = workspaces.filter((path) => path.startsWith(join('packages', 'pruner-')));

const sourcesOf = (workspace: string): string[] =>
  readdirSync(join(root, workspace, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/\.test\.ts$|test-models/.test(path))
    .map((path) => join(workspace, 'src', path));

/** The names that an entry file exports, with the file that each comes from. */
function exportsOf(workspace: string): { readonly name: string; readonly file: string }[] {
  const index = read(workspace, 'src', 'index.ts');
  return [...index.matchAll(/export (?:type )?\{([^}]*)\} from '\.\/([^']+)'/g)].flatMap(([, names, file]) =>
    names!
      .split(',')
      .map((name) => name.replace(/\btype\b/, '').trim())
      .filter((name) => name !== '')
      .map((name) => ({ name, file: join(workspace, 'src', file!) })),
  );
}

describe.each(workspaces)('%s', (workspace) => {
  it('has a README that names it', () => {
    const { name } = JSON.parse(read(workspace, 'package.json')) as { readonly name: string };
    expect(existsSync(join(root, workspace, 'README.md'))).toBe(true);
    expect(read(workspace, 'README.md')).toContain(name);
  });

  it('documents every public name', () => {
    const bare = exportsOf(workspace).filter(({ name, file }) => {
      const source = read(file);
      const declared = source.search(
        new RegExp(`export (?:abstract )?(?:async )?(?:const|function|class|interface|type) ${name}\\b`),
      );
      // names passed on from elsewhere are documented there
      return declared >= 0 && !source.slice(0, declared).trimEnd().endsWith('*/');
    });
    expect(bare).toEqual([]);
  });

  it('declares what it imports', () => {
    const {
      dependencies = {},
      optionalDependencies = {},
      peerDependencies = {},
      name,
    } = JSON.parse(read(workspace, 'package.json')) as Record<string, Record<string, string>> & {
      readonly name: string;
    };
    const imported = sourcesOf(workspace).flatMap((path) =>
      [...read(path).matchAll(/^(?:import|export)[^;]*? from '([^'.][^']*)'|^import '([^'.][^']*)'/gm)].map(
        ([, from, bare]) => (from ?? bare)!,
      ),
    );
    const packages = imported
      .filter((from) => !from.startsWith('node:'))
      .map((from) =>
        from
          .split('/')
          .slice(0, from.startsWith('@') ? 2 : 1)
          .join('/'),
      );
    const declared = { ...dependencies, ...optionalDependencies, ...peerDependencies };
    const undeclared = new Set(packages.filter((from) => from !== name && !(from in declared)));
    expect([...undeclared]).toEqual([]);
  });
});

describe.each(pruners)('%s', (pruner) => {
  it('passes the contract suite', () => {
    const tests = readdirSync(join(root, pruner, 'src')).filter((file) => file.endsWith('.test.ts'));
    expect(tests.map((file) => read(pruner, 'src', file)).join()).toMatch(/\btest(Weight)?Pruner\(/);
  });

  it('depends on core and TensorFlow.js alone, as peers', () => {
    const manifest = JSON.parse(read(pruner, 'package.json')) as Record<string, Record<string, string>>;
    expect(Object.keys(manifest.dependencies ?? {})).toEqual([]);
    expect(Object.keys(manifest.peerDependencies ?? {}).sort()).toEqual([
      '@espalier/core',
      '@tensorflow/tfjs-core',
    ]);
  });
});

it.each(['packages/core', ...pruners])('%s runs in a browser: it imports nothing of Node', (workspace) => {
  const node = sourcesOf(workspace).filter((path) => /from '(?:node:|fs|path|os)/.test(read(path)));
  expect(node).toEqual([]);
});

it.each(benchmarks)('shows the figures of %s itself in the README', (name) => {
  const readme = read('README.md');
  expect(readme).toContain(`<!-- ${name} -->`);
  expect(readme).toBe(withTable(readme, resultOf(name)));
});

it('shows rows of both papers in the README', () => {
  expect(read('README.md')).toMatch(/Net1: 158 of 320/);
  expect(read('README.md')).toMatch(/50 units, ReLU, RMSProp \| 91 \|/);
});
