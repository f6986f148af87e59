import { noiseKinds } from '@espalier/noise';
import { escapeHtml } from '../escape.ts';
import { formatCount, formatNumber, formatSeconds, plural } from '../format.ts';
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

/** Whether epochs follow a pruning: those before may be another run's, with other settings. */
const isTuned = ({ epochs, prunings: [first] }: Summary): boolean =>
  first !== undefined && epochs.some(({ epoch }) => epoch > first.epoch);

/** What is sure of the optimizer. */
const optimizerLabel = (summary: Summary): string => {
  if (summary.prunings.length === 0) return 'Optimizer';
  return isTuned(summary) ? 'Fine-tuning optimizer' : 'Compiled with';
};

/** What training rows had on them, and who else taught. */
const trainingRows = (summary: Summary): [string, string][] => {
  const { noise = [], teacher } = summary.start ?? {};
  const phase = isTuned(summary) ? 'Fine-tuning' : 'Training';
  const levels = noiseKinds.flatMap((kind) => {
    const own = noise.filter((one) => one.kind === kind).map(({ level }) => formatNumber(level));
    return own.length > 0 ? [`${kind} ${own.join(', ')}`] : [];
  });
  return [
    ...(levels.length > 0 ? [[`${phase} noise`, levels.join('; ')] as [string, string]] : []),
    ...(teacher === undefined ? [] : [[`${phase} teacher`, teacher] as [string, string]]),
  ];
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
      ...trainingRows(summary),
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
