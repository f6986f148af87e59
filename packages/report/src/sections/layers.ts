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
  return [compared && summary.isReduced ? comparison(changes) : listing(changes)];
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
  const saved = ({ before, after }: Change<LayerRecord>, of: Amount): number =>
    (before?.[of] ?? 0) - (after?.[of] ?? 0);
  const all = (of: Amount): number => changes.reduce((sum, change) => sum + saved(change, of), 0);
  const totals = { params: all('params'), macs: all('macs') };
  const amounts = (change: Change<LayerRecord>, of: Amount): Cell => {
    const [before, after] = [change.before?.[of] ?? 0, change.after?.[of] ?? 0];
    if (before === 0 && after === 0) return null;
    const part = saved(change, of) > 0 && totals[of] > 0 ? saved(change, of) / totals[of] : 0;
    const share = part === 0 ? '' : `${part < 0.01 ? '<1%' : formatPercent(part, 0)} of the saving`;
    return {
      html: `${arrow(formatShort(before), formatShort(after)).html}<small>${escapeHtml(share)}</small>`,
    };
  };
  return {
    heading: 'What went where',
    intro: 'The bars show how much of each layer’s parameters was kept.',
    table: {
      caption: 'The layers before and after',
      columns: [
        { name: 'Layer' },
        { name: 'Kept' },
        { name: 'Output' },
        { name: 'Parameters', numeric: true },
        { name: 'Multiply-adds', numeric: true },
      ],
      rows: changes.map((change) => {
        const { before, after } = change;
        return [
          title((after ?? before)!, before === undefined ? 'new' : after === undefined ? 'gone' : undefined),
          before?.params ? bar(1, (after?.params ?? 0) / before.params, 1) : '',
          shapes(before, after),
          amounts(change, 'params'),
          amounts(change, 'macs'),
        ];
      }),
    },
  };
};

type Amount = 'params' | 'macs';

const shapes = (before: LayerRecord | undefined, after: LayerRecord | undefined): Markup =>
  arrow(formatShape((before ?? after)!.outputShape), formatShape((after ?? before)!.outputShape));

const title = ({ name, className }: LayerRecord, state?: string): Markup => ({
  html: `${escapeHtml(name)}<small>${escapeHtml(state === undefined ? className : `${className}, ${state}`)}</small>`,
});
