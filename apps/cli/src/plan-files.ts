import { join } from 'node:path';
import type { Plan } from '@espalier/core';
import type { RunFolder } from '@espalier/trainer/node';
import { writeJson } from './files.ts';
import { readRecord } from './report.ts';

/** The plans that a run carries out on its way, in its folder. */
export class PlanFiles {
  readonly #folder: RunFolder;

  constructor(folder: RunFolder) {
    this.#folder = folder;
  }

  /** Those of the prunings in the record, those before an interruption too. */
  async paths(): Promise<string[]> {
    return this.#pathsOf(await this.#epochs());
  }

  /** Writes one that is about to be carried out after an epoch. */
  async write(plan: Plan, epoch: number): Promise<void> {
    const paths = this.#pathsOf([...(await this.#epochs()), epoch]);
    await writeJson(paths.at(-1)!, plan);
  }

  async #epochs(): Promise<number[]> {
    const record = await readRecord(this.#folder.recordFile);
    return record.flatMap((event) => (event.type === 'prune' ? [event.epoch] : []));
  }

  /** Phases may prune after the same epoch. */
  #pathsOf(epochs: readonly number[]): string[] {
    return epochs.map((epoch, i) => {
      const before = epochs.slice(0, i).filter((other) => other === epoch).length;
      return join(this.#folder.path, 'plans', `epoch-${epoch}${before > 0 ? `-${before + 1}` : ''}.json`);
    });
  }
}
