import type { PruneEvent } from '@espalier/trainer';
import { formatCount } from '../format.ts';
import { arrow, bar, type Cell, type HtmlTable, htmlTable } from '../html.ts';
import type { Block, Section } from '../page.ts';
import type { Summary } from '../summary.ts';

/** A group's units before the first pruning and after each one. */
export interface GroupHistory {
  readonly id: string;
  readonly kind: string;
  readonly before: number;
  readonly after: readonly number[];
}

/** Follows each group through the prunings; one that a pruning doesn't list is as it was. */
export const groupHistories = ({ prunings }: Summary): GroupHistory[] => {
  const first = new Map(
    prunings
      .flatMap(({ groups }) => groups)
      .reverse()
      .map((group) => [group.id, group]),
  );
  const order = new Set(prunings.flatMap(({ groups }) => groups.map(({ id }) => id)));
  return [...order].map((id) => {
    const { kind, before } = first.get(id)!;
    let units = before;
    const after = prunings.map(({ groups }) => {
      units = groups.findLast((group) => group.id === id)?.after ?? units;
      return units;
    });
    return { id, kind, before, after };
  });
};

/** More prunings than this are summed up: a column or an open row for each would be unreadable. */
const MOST_SHOWN = 8;

/** When what was pruned, by whom, and what each group lost. */
export const pruningsSection = (summary: Summary): Section[] => {
  const { prunings } = summary;
  if (prunings.length === 0) return [];
  const each = htmlTable(overview(prunings));
  const many = prunings.length > MOST_SHOWN;
  const blocks: Block[] = [
    { html: many ? `<details><summary>All ${prunings.length} prunings</summary>${each}</details>` : each },
  ];
  const histories = groupHistories(summary);
  if (histories.length > 0) blocks.unshift({ table: groupsTable(histories, prunings) });
  return [{ heading: prunings.length > 1 ? 'Prunings' : 'The pruning', blocks }];
};

const overview = (prunings: readonly PruneEvent[]): HtmlTable => {
  const arrowed = (before: number, after: number): Cell => arrow(formatCount(before), formatCount(after));
  return {
    caption: 'When, by whom, and what the model became',
    columns: [
      { name: 'After epoch' },
      { name: 'Pruner' },
      { name: 'Compensation' },
      { name: 'Units removed', numeric: true },
      { name: 'Parameters', numeric: true },
      { name: 'Multiply-adds', numeric: true },
    ],
    rows: prunings.map(({ epoch, pruner, compensation, groups, before, after }) => [
      epoch,
      pruner,
      compensation,
      groups.reduce((sum, group) => sum + group.before - group.after, 0),
      arrowed(before.params, after.params),
      arrowed(before.macs, after.macs),
    ]),
  };
};

const groupsTable = (histories: readonly GroupHistory[], prunings: readonly PruneEvent[]): HtmlTable => {
  const shown = prunings.length > MOST_SHOWN ? [prunings.length - 1] : [...prunings.keys()];
  return {
    caption:
      shown.length > 1
        ? 'Units of each group, before the first pruning and after each'
        : 'Units of each group',
    columns: [
      { name: 'Group' },
      { name: 'Kept' },
      { name: 'Kind' },
      { name: 'Before', numeric: true },
      ...shown.map((at) => ({
        name: shown.length > 1 ? `Epoch ${prunings[at]!.epoch}` : 'After',
        numeric: true,
        strong: at === prunings.length - 1,
      })),
    ],
    rows: histories.map(({ id, kind, before, after }) => [
      id,
      before > 0 ? bar(before, after.at(-1)!, before) : '',
      kind,
      before,
      ...shown.map((at) => after[at]!),
    ]),
  };
};
