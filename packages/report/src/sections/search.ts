import type { AttemptEvent } from '@espalier/trainer';
import { capital, formatCount, formatPercent, formatSeconds } from '../format.ts';
import type { Column } from '../html.ts';
import type { LineChart } from '../line-chart.ts';
import type { Section } from '../page.ts';
import { type Summary, unitsOf } from '../summary.ts';
import { accuracyAxis } from './curves.ts';

/** The search for the smallest network that does as well: its attempts, and their accuracy against their size. */
export const searchSection = (summary: Summary): Section[] => {
  const { attempts, units } = summary;
  const [reference] = attempts;
  if (reference === undefined) return [];
  const caption = 'The attempts, in order; each from a new initialisation';
  const { columns, rows } = searchTable(summary);
  const named = columns.map((column) => ({ ...column, name: capital(column.name) }));
  return [
    {
      heading: 'The search for the smallest size',
      intro:
        `A size holds if it comes to at least ${percent(reference.target)} on validation data, ` +
        `where the full size comes to ${percent(reference.accuracy)}.`,
      blocks: [
        ...(attempts.length > 1 ? [{ chart: chartOf(attempts, reference, units?.after) }] : []),
        { table: { caption, columns: named, rows } },
      ],
    },
  ];
};

const percent = (accuracy: number): string => formatPercent(accuracy, 2);

const chartOf = (
  attempts: readonly AttemptEvent[],
  { target }: AttemptEvent,
  kept: number | undefined,
): LineChart => {
  const sorted = attempts.toSorted((a, b) => unitsOf(a) - unitsOf(b));
  const repeated = attempts.some(({ trials }) => trials.length > 1);
  const series: LineChart['series'] = [
    {
      name: repeated ? 'mean and standard deviation' : 'accuracy',
      points: sorted.map((attempt) => [unitsOf(attempt), attempt.accuracy]),
      ...(repeated && { spread: sorted.map(deviation) }),
    },
    {
      name: 'what it takes to hold',
      dashed: true,
      points: sorted.map((attempt) => [unitsOf(attempt), target]),
    },
  ];
  const best = Math.max(...attempts.map((attempt) => attempt.accuracy + deviation(attempt)));
  return {
    title: 'Validation accuracy by size',
    x: { name: 'units', format: formatCount },
    // differences are small here: no room for the percents that nobody reaches
    y: accuracyAxis(series, Math.min(1, Math.ceil(best * 100) / 100)),
    series,
    ...(kept !== undefined && { marks: [{ x: kept, label: `${formatCount(kept)} are enough` }] }),
  };
};

/** The standard deviation of an attempt's trainings, 0 for a single one. */
const deviation = ({ trials }: AttemptEvent): number => {
  if (trials.length < 2) return 0;
  const mean = trials.reduce((sum, { accuracy }) => sum + accuracy, 0) / trials.length;
  const squares = trials.reduce((sum, { accuracy }) => sum + (accuracy - mean) ** 2, 0);
  return Math.sqrt(squares / (trials.length - 1));
};

/** The attempts as a table, for the page and the terminal. */
export const searchTable = ({
  attempts,
}: Pick<Summary, 'attempts'>): {
  readonly columns: readonly Column[];
  readonly rows: (string | number)[][];
} => {
  const several = attempts.some(({ groups }) => groups.length > 1);
  const repeated = attempts.some(({ trials }) => trials.length > 1);
  const last = attempts.findLast(({ held }) => held);
  return {
    columns: [
      { name: 'units', numeric: true },
      ...(several ? [{ name: 'groups' }] : []),
      { name: 'accuracy', numeric: true, strong: true },
      ...(repeated ? [{ name: 'of trainings' }] : []),
      { name: 'epochs', numeric: true },
      { name: 'took', numeric: true },
      { name: 'outcome' },
    ],
    rows: attempts.map((attempt) => [
      unitsOf(attempt),
      ...(several ? [attempt.groups.map(({ id, units }) => `${id} ${units}`).join(', ')] : []),
      percent(attempt.accuracy),
      ...(repeated ? [attempt.trials.map(({ accuracy }) => formatPercent(accuracy)).join(' ')] : []),
      attempt.trials.reduce((sum, { epochs }) => sum + epochs, 0),
      formatSeconds(attempt.seconds),
      outcome(attempt, last),
    ]),
  };
};

const outcome = (attempt: AttemptEvent, last: AttemptEvent | undefined): string => {
  const kept = attempt === last ? ', kept' : '';
  if (attempt.attempt === 0) return `full size${kept}`;
  return attempt.held ? `held${kept}` : 'fell short';
};
