import type { Graph, Group } from '@espalier/core';
import { color, type Token } from '../theme.ts';

/** How a group is drawn: a number and a colour if units of it may go, grey if not. */
export interface GroupMark {
  readonly group: Group;
  /** From 1; colours repeat, numbers don't. */
  readonly number?: number;
  readonly color: string;
}

/** Those of series but the grey one, which would look frozen. */
const hues: readonly Token[] = ['s1', 's2', 's3', 's4', 's5'];

/** The marks of all groups by id. */
export function marksOf({ groups }: Graph): ReadonlyMap<string, GroupMark> {
  let number = 0;
  return new Map(
    groups.map((group): [string, GroupMark] => {
      if (!group.prunable) return [group.id, { group, color: color('muted') }];
      number++;
      return [group.id, { group, number, color: color(hues[(number - 1) % hues.length]!) }];
    }),
  );
}
