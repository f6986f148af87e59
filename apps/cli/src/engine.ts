import { type EngineReport, useEngine } from '@espalier/engine';
import type { EngineOptions } from './options/common.ts';
import type { Ui } from './ui.ts';

/** Chooses the engine and says which; in words for the record. */
export async function startEngine({ engine }: EngineOptions, ui: Ui): Promise<string> {
  const { name, version }: EngineReport = await useEngine(engine);
  ui.note(`Engine: ${name} ${version}${name === 'cpu' ? ' (slow: wasm is about 200 times faster)' : ''}`);
  return `${name} ${version}`;
}
