import type { Watched } from '../evidence/group-watch.ts';
import type { Judge } from '../evidence/judgement.ts';
import type { Analysis, AnalyzedGroup } from '../graph/analyze.ts';
import type { Proposal, Pruner } from '../pruner.ts';
import { byPool, checkNames, type GroupStanding, wantedOf } from './budget.ts';
import { mostOf } from './limits.ts';
import { mergeGroups } from './merge.ts';
import type { Pruning } from './pruning.ts';
import { poolsOf } from './ranking.ts';
import { Removal } from './removal.ts';
import { groupsInScope, keptGroups, keptLayers } from './scope.ts';
import { type Candidates, type Taken, take } from './take.ts';
import type { PlannedGroup } from './types.ts';

/** A group with what its pruner says of it, in numbers among the units alive. */
export interface Judged<G extends Watched = Watched> {
  readonly watched: G;
  readonly judge: Judge;
}

/** What goes of one group, and what stays: in numbers among the units alive. */
export interface Leaving<G extends Watched = Watched> {
  readonly watched: G;
  readonly leaving: readonly Proposal[];
  readonly survivors: readonly number[];
}

/** What goes of groups that share a budget. */
export interface Chosen<G extends Watched = Watched> {
  readonly leaving: readonly Leaving<G>[];
  readonly notes: readonly string[];
  readonly spared: readonly string[];
}

/** Of proposals that go together, each by itself. */
const apart = ({ also, price: _, ...proposal }: Proposal): Omit<Proposal, 'also' | 'price'>[] =>
  also === undefined ? [proposal] : [proposal, { unit: also, score: proposal.score }];

const isComparable = (pruner: Pruner): boolean =>
  'members' in pruner ? false : (pruner.comparable ?? false);

/** Chooses the units that go, within budget and limits, on top of what went earlier. */
export class Choice {
  readonly #analysis: Analysis;
  readonly #options: Pruning;
  readonly #pools: ReadonlyMap<string, string>;
  readonly #inPool = new Map<string, AnalyzedGroup[]>();
  readonly #keptGroups: ReadonlySet<AnalyzedGroup>;
  readonly #keptLayers: ReadonlySet<string>;
  readonly #planned: Map<string, PlannedGroup>;
  readonly #removal: Removal;

  /** @throws if the budget names a group that is not in the scope. */
  constructor(analysis: Analysis, options: Pruning, earlier: readonly PlannedGroup[]) {
    this.#analysis = analysis;
    this.#options = options;
    const scoped = groupsInScope(analysis, options);
    this.#pools = poolsOf(analysis, scoped, options.ranking);
    for (const pool of byPool(scoped.map((group) => ({ group, pool: this.#pools.get(group.id)! })))) {
      this.#inPool.set(
        pool[0]!.pool,
        pool.map(({ group }) => group),
      );
    }
    this.#keptGroups = keptGroups(analysis, options.keep ?? []);
    this.#keptLayers = new Set(keptLayers(analysis, options.keep ?? []));
    this.#planned = new Map(earlier.map((group) => [group.id, group]));
    this.#removal = new Removal(analysis, earlier);
    checkNames(
      options.budget,
      scoped.map(({ id }) => id),
    );
  }

  /** All that goes by now. */
  get groups(): PlannedGroup[] {
    return [...this.#planned.values()];
  }

  /** The same as labels. */
  get removal(): Removal {
    return this.#removal;
  }

  /** The groups that share a budget. A group comes before those of its features, which are judged by what it leaves. */
  pools<G extends Watched>(judged: readonly Judged<G>[]): Judged<G>[][] {
    return byPool(judged.map((one) => ({ ...one, pool: this.#pools.get(one.watched.group.id)! })));
  }

  /** Chooses from one pool. */
  take<G extends Watched>(pool: readonly Judged<G>[]): Chosen<G> {
    const { budget, pruner, wholeLayers = false } = this.#options;
    const removal = this.#removal;
    const wanted = wantedOf(budget, this.#standings(pool[0]!, removal));
    const { taken, notes, spared } = take({
      pool: pool.map((judged) => this.#candidatesOf(judged, removal, pool.length === 1 ? wanted : undefined)),
      wanted,
      limits: this.#options,
      comparable: isComparable(pruner),
      ...(wholeLayers && { mayEmpty: (id, taken) => this.#canEmpty(id, numbered(pool, taken)) }),
    });
    const leaving = pool.flatMap(({ watched }): Leaving<G>[] => {
      const { group, alive } = watched;
      const leaving = taken.get(group.id)!.flatMap(apart);
      if (leaving.length === 0) return [];
      const going = new Set(leaving.map(({ unit }) => unit));
      const survivors = [...alive.keys()].filter((i) => isThere(watched, removal, i) && !going.has(i));
      return [{ watched, leaving, survivors }];
    });
    for (const { watched, leaving: units } of leaving) {
      const scored = units.map(({ unit, score }) => [watched.alive[unit]!, score] as const);
      this.#add(watched.group, scored);
    }
    // a layer that goes otherwise must not take along what is kept
    return { leaving, notes, spared: spared.filter((id) => !this.#takesKept(this.#without(id, []))) };
  }

  /** Units that nobody reads any more (channels without a feature left) go, too; says so. */
  dropUnread(): string[] {
    const notes: string[] = [];
    const removal = this.#removal;
    // what nobody reads of a layer may be all that is read of the one before
    for (const group of [...this.#analysis.groups].reverse()) {
      if (!group.prunable || !group.exact || this.#keptGroups.has(group)) continue;
      const all = removal.unread(group);
      if (all.length === 0) continue;
      const left = group.roots.filter((root) => !removal.isGone(root)).length;
      const mayEmpty = this.#options.wholeLayers && all.length === left && this.#canEmpty(group.id, []);
      const unread = mayEmpty ? all : all.slice(0, mostOf(this.#options, left, all.length));
      if (unread.length === 0) continue;
      this.#add(
        group,
        unread.map((unit) => [unit, null]),
      );
      notes.push(`group '${group.id}': ${unread.length} units go because nothing reads them any more`);
    }
    return notes;
  }

  /** `wanted`: how many should go of this group alone. */
  #candidatesOf({ watched, judge }: Judged, removal: Removal, wanted: number | undefined): Candidates {
    const { budget } = this.#options;
    const most = budget && 'threshold' in budget ? budget.threshold : Number.POSITIVE_INFINITY;
    const { group, alive } = watched;
    const left = [...alive.keys()].filter((index) => isThere(watched, removal, index)).length;
    const leaving = wanted === undefined ? undefined : mostOf(this.#options, left, wanted);
    const there = judge(leaving).filter(
      ({ unit, into = unit, also = unit, score }) =>
        score < most && [unit, into, also].every((one) => isThere(watched, removal, one)),
    );
    return { id: group.id, left, proposals: there };
  }

  /** How far the groups are that share a budget with one. */
  #standings({ watched: { group } }: Judged, removal: Removal): GroupStanding[] {
    const pool = this.#pools.get(group.id)!;
    return this.#inPool.get(pool)!.map(({ id, size, roots }) => {
      return { id, size, gone: roots.filter((root) => removal.isGone(root)).length, pool };
    });
  }

  /** Whether the model can do without all units of a group, and those that are planned or about to be. */
  #canEmpty(id: string, others: readonly Pick<PlannedGroup, 'id' | 'remove'>[]): boolean {
    const removal = this.#without(id, others);
    return removal.overdone === undefined && !this.#takesKept(removal);
  }

  #without(id: string, others: readonly Pick<PlannedGroup, 'id' | 'remove'>[]): Removal {
    const { size } = this.#analysis.byId.get(id)!;
    const remove = Array.from({ length: size }, (_, unit) => unit);
    return new Removal(this.#analysis, [...this.groups, ...others, { id, remove }]);
  }

  /** Whether a layer goes whole that should stay as it is. */
  #takesKept(removal: Removal): boolean {
    if (removal.overdone !== undefined) return false;
    return [...removal.emptied.gone].some(({ path }) => this.#keptLayers.has(path));
  }

  #add(
    { id, kind, size }: AnalyzedGroup,
    units: readonly (readonly [unit: number, score: number | null])[],
  ): void {
    const remove = units.map(([unit]) => unit);
    const scores = units.map(([, score]) => score);
    this.#removal.add({ id, remove });
    this.#planned.set(id, mergeGroups(this.#planned.get(id), { id, kind, size, remove, scores }));
  }
}

const isThere = ({ group, alive }: Watched, removal: Removal, index: number): boolean =>
  !removal.isGone(group.roots[alive[index]!]!);

/** What is taken, in the numbers of the groups. */
const numbered = (pool: readonly Judged[], taken: Taken): Pick<PlannedGroup, 'id' | 'remove'>[] =>
  pool.map(({ watched: { group, alive } }) => ({
    id: group.id,
    remove: taken
      .get(group.id)!
      .flatMap(apart)
      .map(({ unit }) => alive[unit]!),
  }));
