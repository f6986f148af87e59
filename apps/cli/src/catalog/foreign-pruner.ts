import { createRequire } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Pruner } from '@espalier/core';
import { asUsage, messageOf, UsageError } from '../errors.ts';
import { suggest } from '../parse.ts';
import { prunerNames } from './pruners.ts';

type Factory = (options: Readonly<Record<string, unknown>>) => unknown;

/**
 * A pruner of someone else: `./my-pruner.js`, or a package. Its factory is the module's only function, else the one
 * that is called as the package is after `pruner-`, else `./my-pruner.js#factory` says which.
 *
 * @throws UsageError if it isn't there, or makes no pruner.
 */
export async function foreignPruner(
  specifier: string,
  options: Readonly<Record<string, unknown>>,
): Promise<Pruner> {
  const [from = '', name] = specifier.split('#');
  const module = await load(from);
  const make = factoryOf(module, from, name);
  const made = asUsage(() => make(options));
  if (!isPruner(made)) {
    throw new UsageError(
      `the factory of ${specifier} makes no pruner: it must return an object with a name and a function score, compare or measure`,
    );
  }
  return made;
}

const isPath = (from: string): boolean => /^\.{1,2}[\\/]/.test(from) || isAbsolute(from);

async function load(from: string): Promise<Readonly<Record<string, unknown>>> {
  let place: string;
  try {
    place = isPath(from) ? pathToFileURL(resolve(from)).href : installed(from);
    return await import(place);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isMissing = code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND';
    if (isMissing && !isPath(from)) {
      throw new UsageError(
        `there is no pruner ${from}. ${suggest(from, prunerNames)}; or a file, ./${from}.js, or an installed package`,
        { cause: error },
      );
    }
    throw new UsageError(`can't load the pruner ${from}: ${messageOf(error)}`, { cause: error });
  }
}

/** Where a package lies that is installed where the command runs. */
function installed(name: string): string {
  try {
    return pathToFileURL(createRequire(join(process.cwd(), 'package.json')).resolve(name)).href;
  } catch (error) {
    // for imports alone: those that are installed beside us are found that way
    if ((error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return name;
    throw error;
  }
}

function factoryOf(
  module: Readonly<Record<string, unknown>>,
  from: string,
  name: string | undefined,
): Factory {
  const functions = Object.keys(module).filter((key) => typeof module[key] === 'function');
  const own = /pruner-([\w-]+)$/.exec(from)?.[1]?.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
  const chosen = name ?? (functions.length === 1 ? functions[0] : functions.find((key) => key === own));
  if (chosen !== undefined && functions.includes(chosen)) return module[chosen] as Factory;
  const there = functions.length > 0 ? functions.join(', ') : 'none';
  throw new UsageError(
    name === undefined
      ? `${from} must export one function that makes a pruner, or say which: ${from}#name. Its functions: ${there}`
      : `${from} exports no function ${name}. Its functions: ${there}`,
  );
}

const isPruner = (value: unknown): value is Pruner => {
  if (typeof value !== 'object' || value === null) return false;
  const { name, score, compare, propose, measure, eliminate, members } = value as Record<string, unknown>;
  const isPairs = typeof compare === 'function' && typeof propose === 'function';
  const eliminates = typeof measure === 'function' && typeof eliminate === 'function';
  const judges = typeof score === 'function' || isPairs || eliminates || Array.isArray(members);
  return typeof name === 'string' && judges;
};
