import type { EngineName } from '@espalier/engine';
import type { Command } from 'commander';
import { oneOf } from '../parse.ts';

/** What every command takes. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly debug?: boolean;
}

/** What every command that computes takes. */
export interface EngineOptions extends CommonOptions {
  readonly engine?: 'auto' | EngineName;
}

export const addCommonOptions = (command: Command): Command =>
  command
    .option('--json', 'print one JSON object on stdout instead of text')
    .option('--debug', 'show the stack of an error');

export const addEngineOptions = (command: Command): Command =>
  addCommonOptions(
    command.option(
      '--engine <name>',
      'auto, tensorflow, wasm or cpu (default: auto)',
      oneOf(['auto', 'tensorflow', 'wasm', 'cpu'] as const),
    ),
  );
