import { formatCount } from '../format.ts';
import { bar, type Cell } from '../html.ts';
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

/** When what was pruned, by whom, and what each group lost. */
export const pruningsSection = (summary: Summary): Section[] => {
  const { prunings } = summary;
  if (prunings.length === 0) return [];
  const arrowed = (before: number, after: number): string => `${formatCount(before)} → ${formatCount(after)}`;
  const several = prunings.length > 1;
  const overview: Block = {
    table: {
      caption: several ? 'Each pruning' : 'When, by whom, and what the model became',
      columns: [
        { name: 'After epoch' },
        { name: 'Pruner' },
        { name: 'Compensation' },
        { name: 'Units removed', numeric: true },
        { name: 'Parameters', numeric: true },
        { name: 'Multiply-adds', numeric: true },
      ],
      rows: prunings.map(({ epoch, pruner, compensation, groups, before, after }): Cell[] => [
        epoch,
        pruner,
        compensation,
        groups.reduce((sum, group) => sum + group.before - group.after, 0),
        arrowed(before.params, after.params),
        arrowed(before.macs, after.macs),
      ]),
    },
  };
  const histories = groupHistories(summary);
  const groups: Block = {
    table: {
      caption: several
        ? 'Units of each group, before the first pruning and after each'
        : 'Units of each group',
      columns: [
        { name: 'Group' },
        { name: 'Kind' },
        { name: 'Kept' },
        { name: 'Before', numeric: true },
        ...prunings.map(({ epoch }, i) => ({
          name: several ? `Epoch ${epoch}` : 'After',
          numeric: true,
          strong: i === prunings.length - 1,
        })),
      ],
      rows: histories.map(({ id, kind, before, after }): Cell[] => [
        id,
        kind,
        before > 0 ? bar(before, after.at(-1)!, before) : '',
        before,
        ...after,
      ]),
    },
  };
  return [
    {
      heading: several ? 'Prunings' : 'The pruning',
      blocks: histories.length > 0 ? [overview, groups] : [overview],
    },
  ];
};
