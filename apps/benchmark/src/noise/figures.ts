import type { NoiseCurve } from '@espalier/trainer';
import { mean, type Row, rowOf } from '../benchmark.ts';
import type { Measured, Measurement } from './measure.ts';
import { methods, UNPRUNED } from './methods.ts';
import { cases, MOST, type Treatment, treatmentNames } from './settings.ts';

/** `lenet/tuned/angle-refit`. */
export const caseOf = (name: string, treatment: Treatment, method: string): string =>
  `${name}/${treatment}/${method}`;

export const methodNames: readonly string[] = [UNPRUNED, ...Object.keys(methods)];

/** The figures of all seeds. */
export const rowsOf = (measured: readonly Measured[]): Row[] =>
  cases.flatMap(({ name }) => {
    const seeds = measured.flatMap((one) => one.cases[name] ?? []);
    const find = (treatment: Treatment, method: string): NoiseCurve[][] =>
      seeds
        .filter((one: Measurement) => one.treatment === treatment && one.method === method)
        .map(({ curves }) => [...curves]);
    const whole = find('plain', UNPRUNED);
    if (whole.length === 0) return [];
    return treatmentNames.flatMap((treatment) =>
      methodNames.flatMap((method) =>
        netRows(caseOf(name, treatment, method), find(treatment, method), whole),
      ),
    );
  });

/** One net: how well it does, and how it bears noise beside the whole net as it was. All by seed. */
function netRows(name: string, own: readonly NoiseCurve[][], whole: readonly NoiseCurve[][]): Row[] {
  const first = own[0] ?? [];
  const at = (curves: readonly NoiseCurve[][], kind: number, level: number): number[] =>
    curves.map((one) => 100 * one[kind]!.points[level]!.accuracy);
  const clean = { own: at(own, 0, 0), whole: at(whole, 0, 0) };
  const rows = first.flatMap(({ noise, points }, kind) =>
    points.slice(1).flatMap(({ level }, i) => {
      const path = `${name}/${noise}-${level}`;
      const accuracies = at(own, kind, i + 1);
      const [left, was] = [mean(accuracies), mean(clean.whole) - mean(at(whole, kind, i + 1))];
      return [
        rowOf(path, 'accuracy', accuracies),
        { case: path, metric: 'ratio', value: (mean(clean.own) - left) / was },
        { case: path, metric: 'total', value: (mean(clean.whole) - left) / was },
      ];
    }),
  );
  const worst = (metric: string): Row => {
    const { case: path, value } = rows
      .filter((row) => row.metric === metric)
      .reduce((a, b) => (b.value > a.value ? b : a));
    return { ...bounded(name, metric, value), note: `the worst: ${path.slice(name.length + 1)}` };
  };
  const judged = rows.map((row) =>
    row.metric === 'accuracy' ? row : bounded(row.case, row.metric, row.value),
  );
  return [rowOf(name, 'accuracy', clean.own), worst('ratio'), worst('total'), ...judged];
}

const bounded = (name: string, metric: string, value: number): Row => ({
  case: name,
  metric,
  value,
  target: MOST,
  meets: value <= MOST,
});
