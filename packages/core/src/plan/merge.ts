import type { Plan, PlannedGroup } from './types.ts';

/** The units of both; scores of the later plan win. */
export function mergeGroups(earlier: PlannedGroup | undefined, later: PlannedGroup): PlannedGroup {
  const scores = new Map<number, number | null>();
  for (const { remove, scores: own } of earlier ? [earlier, later] : [later]) {
    remove.forEach((unit, i) => {
      scores.set(unit, own[i] ?? scores.get(unit) ?? null);
    });
  }
  const remove = [...scores.keys()].sort((a, b) => a - b);
  return { ...later, remove, scores: remove.map((unit) => scores.get(unit) ?? null) };
}

/** What is gone by two plans, the first of which was carried out: it has the folds and refits of the second. */
export function mergePlans(first: Plan, second: Plan): Plan {
  const groups = new Map(first.groups.map((group) => [group.id, group]));
  for (const group of second.groups) groups.set(group.id, mergeGroups(groups.get(group.id), group));
  return {
    ...second,
    groups: [...groups.values()],
    cost: { before: first.cost.before, after: second.cost.after },
    notes: [...new Set([...first.notes, ...second.notes])],
  };
}
