import { Command, CommanderError } from 'commander';
import { addApply } from './commands/apply.ts';
import { addModels, addPruners } from './commands/catalogs.ts';
import { addData } from './commands/data.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEvaluate } from './commands/evaluate.ts';
import { addInspect } from './commands/inspect.ts';
import { addPlan } from './commands/plan.ts';
import { addPrune } from './commands/prune.ts';
import { addSchema } from './commands/schema.ts';
import { addTrain } from './commands/train.ts';
import { exitCodeOf, lineOf } from './errors.ts';
import { type Io, processIo } from './io.ts';
import { Ui } from './ui.ts';
import { version } from './version.ts';

const commands = [
  addTrain,
  addPrune,
  addEvaluate,
  addInspect,
  addPlan,
  addApply,
  addData,
  addModels,
  addPruners,
  addSchema,
  addDoctor,
];

/** Runs one command line, without the program's name, and returns the exit code. */
export async function main(argv: readonly string[], io: Io = processIo()): Promise<number> {
  const ui = new Ui(io, argv.includes('--json'));
  const program = new Command('espalier')
    .description('Train, inspect and prune TensorFlow.js models.')
    .version(version())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      // said below, with all other errors
      outputError: () => undefined,
    });
  for (const add of commands) add(program, ui);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    return report(error, ui, argv.includes('--debug'));
  }
}

function report(error: unknown, ui: Ui, debug: boolean): number {
  const code = exitCodeOf(error);
  // help and version are no errors to speak of
  if (error instanceof CommanderError && /^commander\.(help|version)/.test(error.code)) return code;
  const line = lineOf(error, debug);
  if (ui.json) ui.print({ json: { error: line.replace(/^(error|espalier): /, '') }, text: '' });
  ui.note(line);
  if (debug && error instanceof Error) ui.note(error.stack ?? '');
  return code;
}
