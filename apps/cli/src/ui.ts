import { styleText } from 'node:util';
import {
  formatNumber,
  formatPercent,
  formatSeconds,
  type TerminalTable,
  terminalTable,
} from '@espalier/report';
import type { EpochEvent } from '@espalier/trainer';
import { Presets, SingleBar } from 'cli-progress';
import type { Io } from './io.ts';

/** What a command has to say: for machines and for people. */
export interface Result {
  /** Printed by `--json`. */
  readonly json: Readonly<Record<string, unknown>>;
  /** Printed without it. */
  readonly text: string;
}

/** Shows how a training goes. */
export interface Progress {
  update(epoch: number, done: number): void;
  epochDone(event: EpochEvent): void;
  stop(): void;
}

/** Results go to stdout, everything else to stderr. */
export class Ui {
  readonly io: Io;
  readonly json: boolean;
  readonly color: boolean;
  /** The most characters that a line of a table may take. */
  readonly width: number;

  constructor(io: Io, json: boolean) {
    this.io = io;
    this.json = json;
    const { stdout, env } = io;
    this.color = Boolean(stdout.isTTY) && !env.NO_COLOR && env.TERM !== 'dumb';
    // who reads a pipe wants every letter
    this.width = stdout.isTTY ? stdout.columns || 80 : Number.POSITIVE_INFINITY;
  }

  /** A line on stderr about what is going on. */
  note(text: string): void {
    this.io.stderr.write(`${text}\n`);
  }

  print({ json, text }: Result): void {
    this.io.stdout.write(this.json ? `${JSON.stringify(json)}\n` : text.endsWith('\n') ? text : `${text}\n`);
  }

  strong(text: string): string {
    return this.color ? styleText('bold', text) : text;
  }

  /** Names with what there is to say of each, a line or more. */
  list(entries: readonly (readonly [name: string, ...lines: readonly string[]])[]): string {
    const width = Math.max(...entries.map(([name]) => name.length)) + 2;
    const texts = entries.map(([name, ...lines]) => {
      const [first = '', ...rest] = lines.filter((line) => line !== '');
      const more = rest.map((line) => `\n${' '.repeat(width)}${line}`);
      return `${this.strong(name.padEnd(width))}${first}${more.join('')}\n`;
    });
    return texts.join('');
  }

  /** A table under a heading. */
  table(heading: string, table: Pick<TerminalTable, 'columns' | 'rows'>): string {
    const { color, width } = this;
    return `${this.strong(heading)}\n${table.rows.length === 0 ? '(none)' : terminalTable({ ...table, color, width })}\n`;
  }

  /** A bar for each epoch on a terminal, and a line when it is done. */
  progress(epochs: number): Progress {
    const { stderr } = this.io;
    const bar = stderr.isTTY
      ? new SingleBar(
          {
            format: `epoch {epoch}/${epochs} {bar} {percentage}%`,
            stream: stderr,
            clearOnComplete: true,
            gracefulExit: false,
            // the terminal stays as it is if the process is killed
            hideCursor: false,
            linewrap: true,
          },
          Presets.shades_classic,
        )
      : undefined;
    return {
      update(epoch, done) {
        if (!bar) return;
        if (!bar.isActive) bar.start(1, 0, { epoch });
        bar.update(done, { epoch });
      },
      epochDone: (event) => {
        bar?.stop();
        this.note(epochLine(event, epochs));
      },
      stop: () => bar?.stop(),
    };
  }
}

const epochLine = (event: EpochEvent, epochs: number): string =>
  [
    `epoch ${event.epoch}/${epochs}`,
    `loss ${formatNumber(event.loss)}`,
    ...(event.accuracy === undefined ? [] : [`accuracy ${formatPercent(event.accuracy)}`]),
    ...(event.valLoss === undefined ? [] : [`validation loss ${formatNumber(event.valLoss)}`]),
    ...(event.valAccuracy === undefined ? [] : [`validation accuracy ${formatPercent(event.valAccuracy)}`]),
    formatSeconds(event.seconds),
  ].join('  ');
