import { type NoiseKind, unitOf } from '@espalier/noise';
import type { NoiseEvent } from '@espalier/trainer';
import { capital, formatNumber, formatPercent } from '../format.ts';
import type { Cell, Column } from '../html.ts';
import type { LineChart } from '../line-chart.ts';
import type { Section } from '../page.ts';
import type { Summary } from '../summary.ts';
import { accuracyAxis } from './curves.ts';

type Curve = Pick<NoiseEvent, 'noise' | 'points'> & { readonly name: string };

/** What each curve is called: by its stage, and by its data where there are several. */
const named = (noises: readonly NoiseEvent[]): Curve[] => {
  const splits = new Set(noises.map(({ split }) => split));
  return noises.map(({ stage, split, ...curve }) => ({
    ...curve,
    name: splits.size > 1 ? `${stage} (${split})` : stage,
  }));
};

/** Accuracy against noise: a chart for each kind, a curve for each stage of the run. */
export const noiseSection = ({ noises }: Summary): Section[] => {
  if (noises.length === 0) return [];
  const curves = named(noises);
  const charts = [...new Set(noises.map(({ noise }) => noise))].map((kind) => chartOf(kind, curves));
  const splits = [...new Set(noises.map(({ split }) => split))].join(' and ');
  const intro = `Accuracy on ${splits} data with noise on the inputs, the same for every curve.`;
  const worst = worstLoss(curves);
  const blocks = [...(worst ? [{ text: worst }] : []), ...charts.map((chart) => ({ chart }))];
  return [{ heading: 'Accuracy under noise', intro, blocks }];
};

const chartOf = (kind: NoiseKind, curves: readonly Curve[]): LineChart => {
  const series = curves
    .filter(({ noise }) => noise === kind)
    .map(({ name, points }) => ({
      name,
      points: points.map(({ level, accuracy }) => [level, accuracy] as const),
    }));
  return {
    title: capital(kind),
    x: { name: unitOf(kind), min: 0, format: formatNumber },
    y: accuracyAxis(series),
    series,
  };
};

/** Where the last stage loses most, held against the first: what noise costs each of them. */
const worstLoss = (curves: readonly Curve[]): string | undefined => {
  const [first, last] = [curves[0]!.name, curves.at(-1)!.name];
  if (first === last) return undefined;
  const losses = curves
    .filter(({ name }) => name === last)
    .flatMap(({ noise, points }) => {
      const before = curves.find((curve) => curve.noise === noise && curve.name === first)?.points ?? [];
      const lost = (of: Curve['points'], level: number): number =>
        (of[0]?.accuracy ?? Number.NaN) - (of.find((point) => point.level === level)?.accuracy ?? Number.NaN);
      return points.map(({ level }) => {
        const [was, is] = [lost(before, level), lost(points, level)];
        return { noise, level, was, is, ratio: is / was };
      });
    });
  const worst = losses.filter(({ was }) => was > 0).sort((a, b) => b.ratio - a.ratio)[0];
  if (worst === undefined) return undefined;
  if (worst.is <= 0) return `Noise costs ${last} nothing at any level that costs ${first} something.`;
  const points = (lost: number): string => (100 * lost).toFixed(2);
  return (
    `Noise costs ${last} at most ${worst.ratio.toFixed(2)} times the points that it costs ${first}: ` +
    `${points(worst.is)} and ${points(worst.was)}, with ${worst.noise} of ${formatNumber(worst.level)}.`
  );
};

/** Accuracy by noise and level, a column for each curve: for a terminal. */
export const noiseTable = (
  noises: readonly NoiseEvent[],
): { readonly columns: readonly Column[]; readonly rows: readonly (readonly Exclude<Cell, object>[])[] } => {
  const curves = named(noises);
  const names = [...new Set(curves.map(({ name }) => name))];
  const kinds = [...new Set(curves.map(({ noise }) => noise))];
  const rows = kinds.flatMap((kind) => {
    const same = curves.filter(({ noise }) => noise === kind);
    const levels = [...new Set(same.flatMap(({ points }) => points.map(({ level }) => level)))];
    return levels
      .sort((a, b) => a - b)
      .map((level) => [
        kind,
        formatNumber(level),
        ...names.map((name) => {
          const point = same
            .findLast((curve) => curve.name === name)
            ?.points.find((one) => one.level === level);
          return point ? formatPercent(point.accuracy, 2) : null;
        }),
      ]);
  });
  return {
    columns: [
      { name: 'noise' },
      { name: 'level', numeric: true },
      ...names.map((name, i) => ({ name, numeric: true, strong: i === names.length - 1 })),
    ],
    rows,
  };
};
