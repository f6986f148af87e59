import { rename, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { makeFolder } from '@espalier/engine';
import { renderPage } from '@espalier/report';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { aghasi2017 } from './aghasi-2017/index.ts';
import type { Benchmark, BenchmarkOptions, Result } from './benchmark.ts';
import { buys } from './buys/index.ts';
import { cost } from './cost/index.ts';
import { frontier } from './frontier/index.ts';
import { kernels } from './kernels/index.ts';
import { li2018 } from './li-2018/index.ts';
import { noise } from './noise/index.ts';
import { overhead } from './overhead/index.ts';
import { ranking } from './ranking/index.ts';
import { singh2018 } from './singh-2018/index.ts';
import { speed } from './speed/index.ts';
import { sui2018 } from './sui-2018/index.ts';
import { yu2018 } from './yu-2018/index.ts';

const benchmarks: readonly Benchmark[] = [
  sui2018,
  singh2018,
  li2018,
  aghasi2017,
  yu2018,
  frontier,
  noise,
  ranking,
  overhead,
  kernels,
  speed,
  cost,
  buys,
];

interface Flags extends Pick<BenchmarkOptions, 'quick' | 'workers' | 'out' | 'engine'> {
  readonly seeds?: number;
  readonly json: boolean;
  readonly strict: boolean;
}

/**
 * Runs the command line and answers with the exit code: 0; 1 on failure (or a missed target, if strict); 2
 * for a wrong command line.
 */
export async function main(argv: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command('espalier-benchmark')
    .description("The papers' tables reproduced, with our figures beside them")
    .exitOverride();
  for (const benchmark of benchmarks) {
    program
      .command(benchmark.name)
      .description(benchmark.description)
      .option('--quick', 'a short form: it shows that everything runs, its figures mean little', false)
      .option('--seeds <n>', 'how many trainings to average over (default: 3; 1 if quick)', count)
      .option('--workers <n>', 'how many trainings run at once', count, Math.min(2, availableParallelism()))
      .option(
        '--out <dir>',
        'where results go and trained nets are kept',
        join('espalier-out', benchmark.name),
      )
      .addOption(new Option('--engine <name>').choices(['auto', 'tensorflow', 'wasm', 'cpu']).default('auto'))
      .option('--json', 'print one JSON object instead of tables', false)
      .option('--strict', 'exit with 1 if a target is missed', false)
      .exitOverride()
      .action(async (flags: Flags) => {
        const result = await runOne(benchmark, flags);
        if (flags.strict && result.rows.some(({ meets }) => meets === false)) code = 1;
      });
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`espalier-benchmark: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

async function runOne(benchmark: Benchmark, { json, seeds, ...flags }: Flags): Promise<Result> {
  try {
    await makeFolder(resolve(flags.out));
  } catch (error) {
    throw new Error(
      `can't write to ${flags.out}: ${(error as Error).message}. Choose another folder by --out`,
    );
  }
  const result = await benchmark.run({
    ...flags,
    seeds: Array.from({ length: seeds ?? (flags.quick ? 1 : 3) }, (_, i) => i + 1),
    log: (line) => process.stderr.write(`${line}\n`),
  });
  const html = join(flags.out, `${benchmark.name}.html`);
  const data = join(flags.out, `${benchmark.name}.json`);
  const { records: _, ...printed } = result;
  const text = JSON.stringify(printed, null, 2);
  await writeWhole(data, `${text}\n`);
  await writeWhole(html, renderPage(benchmark.page(result)));
  process.stdout.write(json ? `${text}\n` : `${benchmark.terminal(result)}\n\n${html}\n${data}\n`);
  if (flags.quick) process.stderr.write('This was the quick form: few examples and little training.\n');
  return result;
}

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.partial`, text);
  await rename(`${path}.partial`, path);
}

function count(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('It must be a whole number of at least 1.');
  return number;
}
