import type { Cost, Graph, LayerSummary, Saving } from '@espalier/core';
import { escapeHtml } from '../escape.ts';
import { formatBytes, formatCount, formatPercent, formatShape, formatShort, plural } from '../format.ts';
import { type Cell, type HtmlTable, htmlTable, type Markup } from '../html.ts';
import { renderPage, type Section } from '../page.ts';
import { type GroupMark, marksOf } from './marks.ts';
import { picture } from './picture.ts';

/** What `analyze`, `savingsOf` and `faultsOf` of @espalier/core say of a model. */
export interface Inspection {
  /** The model's. */
  readonly name: string;
  readonly graph: Graph;
  /** What a tenth of the units of each group would save, by group id. */
  readonly savings: ReadonlyMap<string, Saving>;
  /** What TensorFlow.js would compute otherwise than the model says. */
  readonly faults?: readonly string[];
}

/** Renders what can be pruned of a model as one self-contained HTML file, with a picture of its groups. */
export function renderInspection(inspection: Inspection): string {
  const { name, graph, faults = [] } = inspection;
  const marks = [...marksOf(graph).values()];
  const free = marks.filter(({ group }) => group.prunable);
  const frozen = marks.filter(({ group }) => !group.prunable);
  const notices = faults.map((fault) => `<p class="notice">${escapeHtml(fault)}</p>`);
  return renderPage({
    title: `What can be pruned of ${name}`,
    intro: introOf(graph),
    lead: { html: notices.join('') },
    sections: [
      {
        heading: 'How the layers hang together',
        intro:
          'Boxes of one number and colour have their units in common: these go together or not at all. What is grey stays. ' +
          'Layers that only pass units on stand in the box of the one before, behind a plus.',
        html: `<figure class="bleed"><div class="scroll" role="region" aria-label="The layers of ${escapeHtml(name)}" tabindex="0">${picture(graph, name)}</div></figure>`,
      },
      ...(free.length > 0 ? [groupsSection(free, inspection)] : []),
      ...(frozen.length > 0 ? [frozenSection(frozen)] : []),
      {
        heading: 'Layers',
        html: `<details><summary>${plural(graph.layers.length, 'layer')}</summary>${htmlTable(layersTable(graph.layers))}</details>`,
      },
    ],
  });
}

/** How many groups and units can go, and what the whole model costs. */
function introOf({ groups, cost }: Graph): string {
  const free = groups.filter(({ prunable }) => prunable);
  const units = free.reduce((sum, { size, kind }) => sum + (kind === 'feature' ? 0 : size), 0);
  return (
    `${free.length} of ${plural(groups.length, 'group')} can be pruned: ${plural(units, 'unit')}. The model has ` +
    `${formatCount(cost.params)} parameters, ${formatBytes(cost.bytes).replace(' ', '\u00a0')}, and takes ${formatCount(cost.macs)} multiply-adds.`
  );
}

const groupsSection = (free: readonly GroupMark[], { graph: { cost }, savings }: Inspection): Section => ({
  heading: 'What can go',
  intro: 'What a tenth of a group’s units would save, without any other going; one unit at least.',
  table: {
    caption: 'Groups of units that live or die together',
    columns: [
      { name: 'Group' },
      { name: 'Kind', extra: true },
      { name: 'Units', numeric: true },
      { name: 'Made by' },
      { name: 'A tenth', numeric: true },
      { name: 'Parameters', numeric: true, strong: true },
      { name: 'Multiply-adds', numeric: true, strong: true },
    ],
    rows: free.map((mark) => {
      const { id, kind, size, producers, inexactReason } = mark.group;
      const saved = savings.get(id);
      const note =
        inexactReason === undefined ? '' : `<small>only if named: ${escapeHtml(inexactReason)}</small>`;
      return [
        { html: `<span class="keyed">${swatch(mark)}<span>${escapeHtml(id)}${note}</span></span>` },
        kind,
        size,
        names(producers),
        saved?.units ?? null,
        saving(saved, cost, 'params'),
        saving(saved, cost, 'macs'),
      ];
    }),
  },
});

const frozenSection = (frozen: readonly GroupMark[]): Section => ({
  heading: 'What stays, and why',
  table: {
    caption: 'Groups of which no unit can go',
    columns: [
      { name: 'Group' },
      { name: 'Units', numeric: true },
      { name: 'Made by', extra: true },
      { name: 'Because' },
    ],
    rows: frozen.map(({ group: { id, size, producers, reason } }) => [
      id,
      size,
      names(producers),
      reason ?? null,
    ]),
  },
});

const layersTable = (layers: readonly LayerSummary[]): HtmlTable => ({
  caption: 'The layers of the model',
  columns: [
    { name: 'Layer' },
    { name: 'Class', extra: true },
    { name: 'Output' },
    { name: 'Parameters', numeric: true },
    { name: 'Multiply-adds', numeric: true },
  ],
  rows: layers.map(({ name, className, outputShape, params, macs }) => [
    name,
    className,
    formatShape(outputShape),
    params,
    macs,
  ]),
});

const swatch = ({ number, color }: GroupMark): string =>
  `<b class="swatch" style="background:${color}">${number}</b>`;

/** More layers than these make a table unreadable. */
const MOST_NAMES = 4;

const names = (all: readonly string[]): Markup => {
  const shown = all.slice(0, MOST_NAMES).map(escapeHtml).join(', ');
  const more = all.length - MOST_NAMES;
  return { html: more > 0 ? `${shown} <small>and ${more} more</small>` : shown };
};

const saving = (saved: Saving | undefined, whole: Cost, of: 'params' | 'macs'): Cell => {
  if (saved === undefined) return null;
  return {
    html: `${formatShort(saved[of])}<small>${whole[of] > 0 ? formatPercent(saved[of] / whole[of]) : ''}</small>`,
  };
};
