import { capital, formatCount, formatPercent, formatPoints } from '../format.ts';
import type { Column } from '../html.ts';
import type { Section } from '../page.ts';
import type { Summary } from '../summary.ts';

/** The hidden layers that the network was tried without. */
export const trialsSection = (summary: Summary): Section[] => {
  const [first] = summary.layerTrials;
  if (first === undefined) return [];
  const { columns, rows } = trialsTable(summary);
  const named = columns.map((column) => ({ ...column, name: capital(column.name) }));
  return [
    {
      heading: 'Layers tried without',
      intro:
        `The whole network comes to ${formatPercent(first.baseline, 2)} on validation data. In each round the layer ` +
        'that costs least goes, if accuracy then is within the loss that was allowed.',
      table: { caption: 'The layers, in the order in which they were tried', columns: named, rows },
    },
  ];
};

/** The trials as a table, for the page and the terminal. */
export const trialsTable = ({
  layerTrials,
}: Pick<Summary, 'layerTrials'>): {
  readonly columns: readonly Column[];
  readonly rows: (string | number)[][];
} => ({
  columns: [
    { name: 'without' },
    { name: 'round', numeric: true },
    { name: 'accuracy', numeric: true, strong: true },
    { name: 'change', numeric: true },
    { name: 'parameters', numeric: true },
    { name: 'goes along', extra: true },
    { name: 'outcome' },
  ],
  rows: layerTrials.map(({ layer, round, baseline, accuracy, after, goes, taken }) => [
    layer,
    round,
    formatPercent(accuracy, 2),
    formatPoints(baseline, accuracy),
    formatCount(after.params),
    goes.filter((one) => one !== layer).join(', '),
    taken ? 'gone' : 'stays',
  ]),
});
