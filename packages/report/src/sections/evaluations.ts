import type { EvaluateEvent } from '@espalier/trainer';
import { capital, formatBytes, formatMilliseconds, formatNumber, formatPercent, plural } from '../format.ts';
import type { Heatmap } from '../heatmap.ts';
import type { Cell, Column } from '../html.ts';
import { htmlTable } from '../html.ts';
import { type Block, heatmapFigure, type Section } from '../page.ts';
import type { Summary } from '../summary.ts';

/** Every evaluation of the run. */
export const evaluationsSection = ({ evaluations }: Summary): Section[] => {
  if (evaluations.length === 0) return [];
  const timed = evaluations.some(({ latency }) => latency);
  const stored = evaluations.some(({ disk }) => disk);
  const columns: Column[] = [
    { name: 'Stage' },
    { name: 'Data' },
    { name: 'Accuracy', numeric: true, strong: true },
    { name: 'Loss', numeric: true },
    ...(timed ? [{ name: 'Forward pass', numeric: true }] : []),
    ...(stored
      ? [
          { name: 'On disk', numeric: true },
          { name: 'Gzipped', numeric: true, extra: true },
        ]
      : []),
  ];
  const rows = evaluations.map(({ stage, split, accuracy, loss, latency, disk }): Cell[] => [
    stage,
    split,
    formatPercent(accuracy, 2),
    formatNumber(loss),
    ...(timed ? [latency ? `${formatMilliseconds(latency.milliseconds)} for ${latency.batch}` : null] : []),
    ...(stored ? [disk ? formatBytes(disk.bytes) : null, disk ? formatBytes(disk.gzipped) : null] : []),
  ]);
  return [{ heading: 'Evaluations', table: { caption: 'The model as measured, in order', columns, rows } }];
};

/** The confusion matrix of the last evaluation, the one before the prunings beside it, and each class. */
export const confusionSection = (summary: Summary): Section[] => {
  const { before, after } = summary.evaluated;
  const shown = [before, after].filter((event): event is EvaluateEvent => !!event?.confusion.length);
  if (shown.length === 0) return [];
  const names = (count: number): string[] =>
    Array.from({ length: count }, (_, i) => summary.start?.dataset.classes[i] ?? String(i));
  const charts = shown.map(({ stage, split, accuracy, confusion }): Heatmap => {
    const labels = names(confusion.length);
    const columns = names(confusion.reduce((most, row) => Math.max(most, row.length), 0));
    return {
      title: `${capital(stage || 'model')}: ${formatPercent(accuracy)} right on ${split} data`,
      x: { name: 'predicted', labels: columns },
      y: { name: 'actual', labels },
      values: confusion,
      confusion: true,
    };
  });
  const last = shown.at(-1)!;
  const mistakes = worst(last, names(last.confusion.length));
  const blocks: Block[] = [
    ...(mistakes ? [{ text: mistakes }] : []),
    { html: `<div class="pair">${charts.map(heatmapFigure).join('')}</div>` },
    {
      html: `<details><summary>Class by class</summary>${classTable(shown, names(last.confusion.length))}</details>`,
    },
  ];
  return [
    {
      heading: 'Confusion',
      intro:
        'Right answers lie on the diagonal, in blue; mistakes are orange, the stronger the larger their part of the row.',
      blocks,
    },
  ];
};

const worst = ({ stage, confusion }: EvaluateEvent, names: readonly string[]): string => {
  const mistakes = confusion
    .flatMap((row, actual) => row.map((count, predicted) => ({ actual, predicted, count })))
    .filter(({ actual, predicted, count }) => actual !== predicted && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, 3)
    .map(
      ({ actual, predicted, count }) =>
        `${names[actual]} as ${names[predicted] ?? predicted} (${plural(count, 'time')})`,
    );
  return mistakes.length > 0 ? `Most often mistaken when ${stage}: ${mistakes.join(', ')}.` : '';
};

const classTable = (shown: readonly EvaluateEvent[], names: readonly string[]): string => {
  const recall = ({ confusion }: EvaluateEvent, at: number): Cell => {
    const row = confusion[at] ?? [];
    const total = row.reduce((sum, count) => sum + count, 0);
    return total > 0 ? formatPercent((row[at] ?? 0) / total) : null;
  };
  const last = shown.at(-1)!;
  return htmlTable({
    caption: 'How many of each class were recognised',
    columns: [
      { name: 'Class' },
      { name: 'Examples', numeric: true },
      ...shown.map(({ stage }, i) => ({
        name: `Right, ${stage}`,
        numeric: true,
        strong: i === shown.length - 1,
      })),
    ],
    rows: names.map((name, at) => [
      name,
      (last.confusion[at] ?? []).reduce((sum, count) => sum + count, 0),
      ...shown.map((event) => recall(event, at)),
    ]),
  });
};
