import type { EpochEvent, SweepEvent } from '@espalier/trainer';
import { formatCount, formatPercent, plural } from '../format.ts';
import type { LineChart, Mark } from '../line-chart.ts';
import type { Section } from '../page.ts';
import type { Summary } from '../summary.ts';

/** Loss and accuracy by epoch, with the prunings marked. */
export const trainingSection = ({ epochs, prunings, attempts }: Summary): Section[] => {
  if (epochs.length === 0) return [];
  const marks = prunings.map(({ epoch, groups }): Mark => {
    const removed = groups.reduce((sum, { before, after }) => sum + before - after, 0);
    return { x: epoch, label: removed > 0 ? `−${plural(removed, 'unit')}` : 'pruned' };
  });
  const curve = (name: string, pick: (event: EpochEvent) => number | undefined): LineChart['series'] => {
    const points = epochs.map((event) => [event.epoch, pick(event) ?? Number.NaN] as const);
    return points.some(([, value]) => Number.isFinite(value)) ? [{ name, points }] : [];
  };
  const chart = (title: string, y: LineChart['y'], curves: LineChart['series']): LineChart[] => {
    // Validation is what counts: where it is there, training stands back, dashed.
    const [first, second] = curves;
    const series = first && second ? [second, { ...first, dashed: true }] : curves;
    return series.length > 0
      ? [{ title, x: { name: 'epoch', min: 0, format: formatCount }, y, series, marks }]
      : [];
  };
  const accuracies = [...curve('training', (e) => e.accuracy), ...curve('validation', (e) => e.valAccuracy)];
  const losses = [...curve('training', (e) => e.loss), ...curve('validation', (e) => e.valLoss)];
  const positive = losses.every(({ points }) => points.every(([, value]) => !(value < 0)));
  const charts = [
    ...chart('Loss by epoch', { name: 'loss', ...(positive ? { min: 0 } : {}) }, losses),
    ...chart('Accuracy by epoch', accuracyAxis(accuracies), accuracies),
  ];
  if (charts.length === 0) return [];
  const intro = [
    ...(attempts.length > 0 ? ['Of the network that is left.'] : []),
    ...(marks.length > 0 ? ['Dotted lines mark the prunings and how many units went.'] : []),
  ].join(' ');
  return [{ heading: 'Training', ...(intro && { intro }), blocks: charts.map((one) => ({ chart: one })) }];
};

/** Accuracy against the number of units removed, one curve a series. */
export const sweepSection = ({ sweeps }: Summary): Section[] => {
  if (sweeps.length === 0) return [];
  const splits = new Set(sweeps.map(({ split }) => split));
  const totals = new Set(sweeps.map(({ units }) => units));
  const curves = new Map<string, SweepEvent[]>();
  for (const event of sweeps) {
    const name = splits.size > 1 ? `${event.series} (${event.split})` : event.series;
    curves.set(name, [...(curves.get(name) ?? []), event]);
  }
  const series = [...curves].map(([name, events]) => ({
    name,
    points: events.map(({ removed, accuracy }) => [removed, accuracy] as const).sort(([a], [b]) => a - b),
  }));
  return [
    {
      heading: 'Accuracy by units removed',
      intro: 'Nothing was trained between the points of a curve.',
      chart: {
        title: `Accuracy on ${[...splits].join(' and ')} data`,
        x: {
          name: totals.size === 1 ? `units removed, of ${formatCount([...totals][0]!)}` : 'units removed',
          min: 0,
          format: formatCount,
        },
        y: accuracyAxis(series),
        series,
      },
    },
  ];
};

/** Percentages up to 100, or less, and no further: an axis that fits itself would go on to 105%. */
export const accuracyAxis = (series: LineChart['series'], top = 1): LineChart['y'] => {
  const values = series
    .flatMap(({ points, spread }) => points.map(([, value], i) => value - (spread?.[i] ?? 0)))
    .filter(Number.isFinite);
  const span = top - values.reduce((a, b) => Math.min(a, b), top - 0.01);
  const step = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2].find((size) => span <= size * 5) ?? 0.25;
  const min = Math.max(0, top - step * Math.ceil(span / step - 1e-9));
  return {
    name: 'accuracy',
    min: Number(min.toFixed(3)),
    max: top,
    step,
    format: (value) => formatPercent(value),
  };
};
