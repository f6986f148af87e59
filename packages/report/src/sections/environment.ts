import { escapeHtml } from '../escape.ts';
import { formatCount, formatSeconds, plural } from '../format.ts';
import type { Section } from '../page.ts';
import type { Summary } from '../summary.ts';

/** An ISO 8601 time as a reader's eye takes it in, still to the second and in its own zone. */
export const formatTime = (iso: string): string =>
  iso.replace('T', ' ').replace(/\.\d+/, '').replace(/Z$/, ' UTC');

/** What the prunings and the run's end had to say, each thing once. */
export const notesOf = ({ prunings, end }: Summary): string[] => {
  const notes = prunings.flatMap((event) => event.notes.map((note) => `After epoch ${event.epoch}: ${note}`));
  return [...new Set(end?.stopped === undefined ? notes : [...notes, `Stopped early: ${end.stopped}`])];
};

/** The notes as a list. */
export const notesSection = (summary: Summary): Section[] => {
  const notes = notesOf(summary);
  if (notes.length === 0) return [];
  return [
    {
      heading: 'Notes',
      html: `<ul class="notes">${notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('')}</ul>`,
    },
  ];
};

/** What is sure of the optimizer: the epochs before a pruning may be another run's, with another one. */
const optimizerLabel = ({ epochs, prunings: [first] }: Summary): string => {
  if (first === undefined) return 'Optimizer';
  return epochs.some(({ epoch }) => epoch > first.epoch) ? 'Fine-tuning optimizer' : 'Compiled with';
};

/** What the run ran on, as pairs of a name and a value. */
export const environmentRows = (summary: Summary): [string, string][] => {
  const { start, end, epochs } = summary;
  const rows: [string, string][] = [];
  if (start !== undefined) {
    const { dataset, engine, seed, optimizer, time } = start;
    const { train, validation, test } = dataset.rows;
    rows.push(['Dataset', dataset.name]);
    if (dataset.note !== undefined) rows.push(['About the data', dataset.note]);
    rows.push(
      [
        'Rows',
        `${formatCount(train)} train, ${formatCount(validation)} validation, ${formatCount(test)} test`,
      ],
      ['Classes', formatCount(dataset.classes.length)],
      [optimizerLabel(summary), optimizer],
      ['Engine', engine],
      ['Seed', String(seed)],
      ['Started', formatTime(time)],
    );
  }
  if (end !== undefined) rows.push(['Ended', formatTime(end.time)], ['Took', formatSeconds(end.seconds)]);
  if (epochs.length > 0) {
    const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
    rows.push(['Training', `${plural(epochs.length, 'epoch')}, ${formatSeconds(seconds)}`]);
  }
  return rows;
};

/** The environment as a table. */
export const environmentSection = (summary: Summary): Section[] => {
  const rows = environmentRows(summary);
  if (rows.length === 0) return [];
  const columns = [{ name: 'What' }, { name: 'Which' }];
  return [{ heading: 'Environment', table: { caption: 'What the run ran on', columns, rows } }];
};
