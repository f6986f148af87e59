import type { LayerRecord } from '@espalier/trainer';
import { escapeHtml } from '../escape.ts';
import { formatPercent, formatShape, formatShort } from '../format.ts';
import { arrow, bar, type Cell, type Markup } from '../html.ts';
import type { Section } from '../page.ts';
import type { Change, Summary } from '../summary.ts';

/** Each layer before and after, by name, in the order of the models. */
export const layerChanges = ({ start, end }: Summary): Change<LayerRecord>[] => {
  const before = new Map(start?.layers.map((layer) => [layer.name, layer]));
  const after = new Map(end?.layers.map((layer) => [layer.name, layer]));
  const names = [...before.keys()];
  let previous = -1;
  // A layer that came in, such as a selection of features, stands after the one that it follows.
  for (const name of after.keys()) {
    const at = names.indexOf(name);
    if (at < 0) names.splice(previous + 1, 0, name);
    previous = at < 0 ? previous + 1 : at;
  }
  return names.map((name) => ({ before: before.get(name), after: after.get(name) }));
};

/** The layers' shapes, parameters and multiply-adds, and where the savings came from. */
export const layersSection = (summary: Summary): Section[] => {
  const changes = layerChanges(summary);
  if (changes.length === 0) return [];
  const compared = summary.start !== undefined && summary.end !== undefined;
  return [compared && summary.prunings.length > 0 ? comparison(changes) : listing(changes)];
};

const listing = (changes: readonly Change<LayerRecord>[]): Section => ({
  heading: 'Layers',
  table: {
    caption: 'The layers of the model',
    columns: [
      { name: 'Layer' },
      { name: 'Output' },
      { name: 'Parameters', numeric: true },
      { name: 'Multiply-adds', numeric: true },
    ],
    rows: changes.map(({ before, after }) => {
      const layer = (after ?? before)!;
      return [title(layer), formatShape(layer.outputShape), layer.params, layer.macs];
    }),
  },
});

const comparison = (changes: readonly Change<LayerRecord>[]): Section => {
  const saved = ({ before, after }: Change<LayerRecord>, of: 'params' | 'macs'): number =>
    (before?.[of] ?? 0) - (after?.[of] ?? 0);
  const all = (of: 'params' | 'macs'): number => changes.reduce((sum, change) => sum + saved(change, of), 0);
  const totals = { params: all('params'), macs: all('macs') };
  const share = (change: Change<LayerRecord>, of: 'params' | 'macs'): Cell =>
    totals[of] > 0 && saved(change, of) > 0 ? formatShare(saved(change, of) / totals[of]) : '';
  return {
    heading: 'What went where',
    intro:
      'Bars show how much of each layer’s parameters was kept; “of saving” is its part of all that was saved.',
    table: {
      caption: 'The layers before the first pruning and after the last',
      columns: [
        { name: 'Layer' },
        { name: 'Output' },
        { name: 'Kept' },
        { name: 'Parameters', numeric: true },
        { name: 'of saving', numeric: true },
        { name: 'Multiply-adds', numeric: true },
        { name: 'of saving', numeric: true },
      ],
      rows: changes.map((change) => {
        const { before, after } = change;
        return [
          title((after ?? before)!, before === undefined ? 'new' : after === undefined ? 'gone' : undefined),
          pair(before && formatShape(before.outputShape), after && formatShape(after.outputShape)),
          before?.params ? bar(1, (after?.params ?? 0) / before.params, 1) : '',
          amounts(before?.params, after?.params),
          share(change, 'params'),
          amounts(before?.macs, after?.macs),
          share(change, 'macs'),
        ];
      }),
    },
  };
};

const formatShare = (share: number): string => (share < 0.01 ? '<1%' : formatPercent(share, 0));

const pair = (before: string | undefined, after: string | undefined): Markup =>
  arrow(before ?? after ?? '', after ?? before ?? '');

const amounts = (before: number | undefined, after: number | undefined): Cell =>
  before || after ? arrow(formatShort(before ?? 0), formatShort(after ?? 0)) : null;

const title = ({ name, className }: LayerRecord, state?: string): Markup => ({
  html: `${escapeHtml(name)}<small>${escapeHtml(state === undefined ? className : `${className}, ${state}`)}</small>`,
});
