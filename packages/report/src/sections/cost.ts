import {
  formatBytes,
  formatChange,
  formatCount,
  formatMilliseconds,
  formatPercent,
  formatPoints,
  formatRatio,
  formatSeconds,
} from '../format.ts';
import { isSame, type Summary, speedupOf, zeroShare } from '../summary.ts';

/** One line of what a pruning cost or saved. */
export interface CostRow {
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly change: string | undefined;
  /** What is left of it, where less is better. */
  readonly kept: number | undefined;
}

/** Before and after, as far as the record says: the rows that the HTML and the terminal both show. */
export const costRows = (summary: Summary): CostRow[] => {
  const { units, cost, latency, disk, epochSeconds, evaluated, sparsity } = summary;
  const batch = (latency.after ?? latency.before)?.batch;
  const rows = [
    row('Units', formatCount, units?.before, units?.after),
    row('Parameters', formatCount, cost.before?.params, cost.after?.params),
    row('Multiply-adds', formatCount, cost.before?.macs, cost.after?.macs),
    row('Weights in memory', formatBytes, cost.before?.bytes, cost.after?.bytes),
    row('Weights that are zero', formatPercent, undefined, zeroShare(sparsity?.kernels ?? [])),
    row('On disk', formatBytes, disk.before?.bytes, disk.after?.bytes),
    row('On disk, gzipped', formatBytes, disk.before?.gzipped, disk.after?.gzipped),
    speedRow(
      row(
        `Forward pass, batch of ${batch}`,
        formatMilliseconds,
        latency.before?.milliseconds,
        latency.after?.milliseconds,
      ),
      speedupOf(summary),
    ),
    row('Training, an epoch', formatSeconds, epochSeconds.before, epochSeconds.after),
    accuracyRow(evaluated),
  ];
  return rows.filter(({ before, after }) => before !== undefined || after !== undefined);
};

const row = (
  name: string,
  format: (value: number) => string,
  before: number | undefined,
  after: number | undefined,
): CostRow => {
  const both = before !== undefined && after !== undefined;
  return {
    name,
    before: before === undefined ? undefined : format(before),
    after: after === undefined ? undefined : format(after),
    change: both ? formatChange(before, after) : undefined,
    kept: both && before > 0 ? after / before : undefined,
  };
};

const speedRow = (latency: CostRow, speedup: number | undefined): CostRow => {
  if (speedup === undefined || isSame(speedup)) return latency;
  const change = speedup >= 1 ? `${formatRatio(speedup)} faster` : `${formatRatio(1 / speedup)} slower`;
  return { ...latency, change };
};

const accuracyRow = ({ before, after }: Summary['evaluated']): CostRow => {
  const name = `Accuracy, ${(after ?? before)?.split}`;
  return {
    name,
    before: before && formatPercent(before.accuracy, 2),
    after: after && formatPercent(after.accuracy, 2),
    change: before && after && formatPoints(before.accuracy, after.accuracy),
    kept: undefined,
  };
};
