import { capital, formatPercent } from '../format.ts';
import type { Column } from '../html.ts';
import type { Section } from '../page.ts';
import { type Summary, zeroShare } from '../summary.ts';

/** The single weights that were zeroed, layer by layer. */
export const weightsSection = (summary: Summary): Section[] => {
  if (!summary.sparsity) return [];
  const { columns, rows } = weightsTable(summary);
  const named = columns.map((column) => ({ ...column, name: capital(column.name) }));
  return [
    {
      heading: 'Single weights',
      intro:
        `Zeroed by ${summary.sparsity.pruner}; the units stay, and so does the time of a forward pass. A saved model is ` +
        'smaller once it is compressed.',
      table: { caption: 'What is zero in each layer', columns: named, rows },
    },
  ];
};

/** The layers as a table, for the page and the terminal. */
export const weightsTable = ({
  sparsity,
}: Pick<Summary, 'sparsity'>): {
  readonly columns: readonly Column[];
  readonly rows: (string | number)[][];
} => ({
  columns: [
    { name: 'layer' },
    { name: 'weight', extra: true },
    { name: 'weights', numeric: true },
    { name: 'zeros', numeric: true },
    { name: 'share', numeric: true, strong: true },
  ],
  rows: (sparsity?.kernels ?? []).map((kernel) => {
    const { layer, weight, weights, zeros } = kernel;
    return [layer, weight, weights, zeros, formatPercent(zeroShare([kernel]) ?? 0)];
  }),
});
