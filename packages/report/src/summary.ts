import type {
  AttemptEvent,
  CostRecord,
  EndEvent,
  EpochEvent,
  EvaluateEvent,
  LayerEvent,
  NoiseEvent,
  PruneEvent,
  RunEvent,
  RunRecord,
  StartEvent,
  SweepEvent,
  WeightsEvent,
} from '@espalier/trainer';
import { formatChange, formatCount, formatPercent, formatPercents, formatRatio, plural } from './format.ts';

/** A thing before and after the prunings of a run; undefined where the record doesn't say. */
export interface Change<T> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}

/** A run record sorted by kind of event, with the before/after pairs that a report speaks of. */
export interface Summary {
  readonly start: StartEvent | undefined;
  readonly end: EndEvent | undefined;
  readonly epochs: readonly EpochEvent[];
  readonly prunings: readonly PruneEvent[];
  readonly evaluations: readonly EvaluateEvent[];
  readonly sweeps: readonly SweepEvent[];
  readonly noises: readonly NoiseEvent[];
  /** The search for the smallest network that does as well, if there was one. */
  readonly attempts: readonly AttemptEvent[];
  /** The hidden layers that the network was tried without. */
  readonly layerTrials: readonly LayerEvent[];
  /** The single weights that were zeroed last. */
  readonly sparsity: WeightsEvent | undefined;
  /** Whether anything was done to make the network smaller. */
  readonly isReduced: boolean;
  /** Prunable units. Undefined when nothing was pruned and no smaller network was looked for. */
  readonly units: { readonly before: number; readonly after: number } | undefined;
  readonly cost: Change<CostRecord>;
  /** The evaluations to compare, both on the same split: test if it was measured before and after, else validation. */
  readonly evaluated: Change<EvaluateEvent>;
  /** Latencies of the same batch size. */
  readonly latency: Change<NonNullable<EvaluateEvent['latency']>>;
  readonly disk: Change<NonNullable<EvaluateEvent['disk']>>;
  /** Median seconds of an epoch up to the first pruning, and since the last. */
  readonly epochSeconds: Change<number>;
}

const ofType = <Type extends RunEvent['type']>(
  record: RunRecord,
  type: Type,
): Extract<RunEvent, { type: Type }>[] =>
  record.filter((event): event is Extract<RunEvent, { type: Type }> => event.type === type);

/** Whether an event is the first that made the model smaller. */
const isSmaller = (event: RunEvent): boolean =>
  event.type === 'prune' ||
  event.type === 'weights' ||
  (event.type === 'attempt' && event.attempt > 0) ||
  (event.type === 'layer' && event.taken);

/** Sorts a record's events and pairs up what was measured at the full size with what came last. */
export const summarize = (record: RunRecord): Summary => {
  const prunings = ofType(record, 'prune');
  const evaluations = ofType(record, 'evaluate');
  const attempts = ofType(record, 'attempt');
  const layerTrials = ofType(record, 'layer');
  const sparsity = ofType(record, 'weights').at(-1);
  const reductions = record.filter(
    (event): event is PruneEvent | LayerEvent =>
      event.type === 'prune' || (event.type === 'layer' && event.taken),
  );
  const start = ofType(record, 'start')[0];
  const end = ofType(record, 'end').at(-1);
  const change = record.findIndex(isSmaller);
  const compare = <T>(pick: (event: EvaluateEvent) => T | undefined): Change<T> => {
    const early = change < 0 ? [] : ofType(record.slice(0, change), 'evaluate');
    const late = ofType(record.slice(Math.max(change, 0)), 'evaluate');
    const last = (events: EvaluateEvent[]): T | undefined =>
      events.map(pick).findLast((value) => value !== undefined);
    return { before: last(early), after: last(late) };
  };
  const units = prunings.length > 0 ? countUnits(prunings) : countSearched(attempts);
  const bySplit = (['test', 'validation', 'train'] as const).map((split) =>
    compare((event) => (event.split === split ? event : undefined)),
  );
  const evaluated =
    bySplit.find(({ before, after }) => before && after) ??
    bySplit.find(({ before, after }) => before ?? after) ??
    bySplit[0]!;
  const latency = compare((event) => event.latency);
  const comparable = latency.before?.batch === latency.after?.batch;
  return {
    start,
    end,
    epochs: ofType(record, 'epoch'),
    prunings,
    evaluations,
    sweeps: ofType(record, 'sweep'),
    noises: ofType(record, 'noise'),
    attempts,
    layerTrials,
    sparsity,
    isReduced: units !== undefined || sparsity !== undefined || layerTrials.some(({ taken }) => taken),
    units,
    cost: {
      before: start?.cost ?? reductions[0]?.before,
      after: end?.cost ?? reductions.at(-1)?.after,
    },
    evaluated,
    latency: comparable ? latency : { before: undefined, after: latency.after },
    disk: compare((event) => event.disk),
    // a search keeps the epochs of the last network alone
    epochSeconds:
      attempts.length > 0
        ? { before: undefined, after: median(ofType(record, 'epoch')) }
        : epochSeconds(ofType(record, 'epoch'), prunings),
  };
};

const epochSeconds = (epochs: readonly EpochEvent[], prunings: readonly PruneEvent[]): Change<number> => {
  const [first, last] = [prunings[0]?.epoch, prunings.at(-1)?.epoch];
  return {
    before: median(epochs.filter(({ epoch }) => first === undefined || epoch <= first)),
    after: median(epochs.filter(({ epoch }) => last !== undefined && epoch > last)),
  };
};

const median = (epochs: readonly EpochEvent[]): number | undefined =>
  epochs.map(({ seconds }) => seconds).sort((a, b) => a - b)[Math.floor((epochs.length - 1) / 2)];

// A pruning need not list the groups that it left alone, so the total is over every group's first appearance.
const countUnits = (prunings: readonly PruneEvent[]): { before: number; after: number } => {
  const groups = new Map<string, { before: number; after: number }>();
  for (const { id, before, after } of prunings.flatMap((pruning) => pruning.groups)) {
    groups.set(id, { before: groups.get(id)?.before ?? before, after });
  }
  const total = (side: 'before' | 'after'): number =>
    [...groups.values()].reduce((sum, group) => sum + group[side], 0);
  return { before: total('before'), after: total('after') };
};

/** The units of one attempt, over all groups. */
export const unitsOf = ({ groups }: AttemptEvent): number =>
  groups.reduce((sum, { units }) => sum + units, 0);

const countSearched = (attempts: readonly AttemptEvent[]): Summary['units'] => {
  const [first] = attempts;
  const held = attempts.findLast((attempt) => attempt.held);
  return first && held && { before: unitsOf(first), after: unitsOf(held) };
};

/**
 * What happened, in one sentence made of what the record holds:
 * `158 of 320 units removed, 61% fewer parameters, 1.9× faster, test accuracy 98.3% → 97.9%.`
 */
export const headline = (summary: Summary): string => {
  const parts = [
    unitsPart(summary),
    layersPart(summary),
    weightsPart(summary),
    paramsPart(summary),
    speedPart(summary),
    accuracyPart(summary),
  ];
  const sentence = parts.filter((part) => part !== undefined).join(', ');
  if (sentence === '') return 'Nothing has been measured yet.';
  return `${sentence[0]!.toUpperCase()}${sentence.slice(1)}.`;
};

const unitsPart = ({ units, epochs, prunings }: Summary): string | undefined => {
  if (units !== undefined && prunings.length === 0) {
    return `${formatCount(units.after)} of ${formatCount(units.before)} units are enough`;
  }
  if (units !== undefined) {
    const removed = units.before - units.after;
    return removed <= 0
      ? 'no units removed'
      : `${formatCount(removed)} of ${formatCount(units.before)} units removed`;
  }
  return epochs.length > 0 ? `trained for ${plural(epochs.length, 'epoch')}` : undefined;
};

const layersPart = ({ layerTrials }: Summary): string | undefined => {
  const gone = layerTrials.flatMap(({ goes, taken }) => (taken ? goes : []));
  return gone.length > 0 ? `${plural(gone.length, 'layer')} removed` : undefined;
};

const weightsPart = ({ sparsity }: Summary): string | undefined => {
  const share = sparsity && zeroShare(sparsity.kernels);
  return share === undefined ? undefined : `${formatPercent(share)} of the weights zero`;
};

/** The share of some kernels' weights that is 0; undefined of none. */
export const zeroShare = (kernels: WeightsEvent['kernels']): number | undefined => {
  const total = (of: 'weights' | 'zeros'): number => kernels.reduce((sum, kernel) => sum + kernel[of], 0);
  return total('weights') > 0 ? total('zeros') / total('weights') : undefined;
};

const paramsPart = ({ cost: { before, after } }: Summary): string | undefined => {
  if (before === undefined || after === undefined || before.params === after.params) return undefined;
  const size = formatChange(before.params, after.params);
  return /^[−+]/.test(size)
    ? `${size.slice(1)} ${size.startsWith('−') ? 'fewer' : 'more'} parameters`
    : undefined;
};

const speedPart = (summary: Summary): string | undefined => {
  const speedup = speedupOf(summary);
  if (speedup === undefined) return undefined;
  if (isSame(speedup)) return 'as fast as before';
  return speedup > 1 ? `${formatRatio(speedup)} faster` : `${formatRatio(1 / speedup)} slower`;
};

const accuracyPart = ({ evaluated: { before, after } }: Summary): string | undefined => {
  if (after === undefined) return before && `${before.split} accuracy ${formatPercent(before.accuracy)}`;
  if (before === undefined) return `${after.split} accuracy ${formatPercent(after.accuracy)}`;
  return `${after.split} accuracy ${formatPercents(before.accuracy, after.accuracy).join(' → ')}`;
};

/** Whether two medians are so close that they are the same measurement twice. */
export const isSame = (speedup: number): boolean => speedup > 0.95 && speedup < 1.05;

/** How many times faster a forward pass has become; undefined when it wasn't measured twice. */
export const speedupOf = ({ latency: { before, after } }: Summary): number | undefined => {
  if (before === undefined || after === undefined || after.milliseconds === 0) return undefined;
  const ratio = before.milliseconds / after.milliseconds;
  return ratio > 0 ? ratio : undefined;
};
