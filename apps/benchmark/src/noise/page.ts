import { noisesOf, unitOf } from '@espalier/noise';
import { type Block, htmlTable, type LineChart, type Page } from '@espalier/report';
import { find, metaOf, type Result } from '../benchmark.ts';
import { caseOf } from './figures.ts';
import { titleOf, UNPRUNED } from './methods.ts';
import { type Case, levels, type Treatment, treatmentNames, treatments } from './settings.ts';
import { casesIn, caseTable, explanation, verdict } from './tables.ts';

/** The curves of a chart. */
const shown: readonly (readonly [method: string, treatment: Treatment])[] = [
  [UNPRUNED, 'plain'],
  [UNPRUNED, 'noise-tuned'],
  ...treatmentNames.map((treatment) => ['angle-refit', treatment] as const),
  ['random-none', 'tuned'],
];

export const pageOf = (result: Result): Page => {
  const { seeds, quick, dataset } = result.environment;
  const runs = seeds === 1 ? 'one training of each' : `means of ${seeds} trainings of each`;
  const warning = quick ? ' This is the quick form: its figures only show that it runs.' : '';
  return {
    title: 'Half of the units gone: do networks still bear noise?',
    intro: `Accuracy on test data of ${dataset} with noise on the inputs, ${runs}.${warning}`,
    meta: metaOf(result.environment),
    sections: casesIn(result).map((one) => ({
      heading: one.title,
      intro: explanation,
      blocks: [
        {
          table: htmlTable({
            caption: 'Accuracy without noise, and the worst ratios',
            ...caseTable(result, one.name),
          }),
        },
        ...treatmentNames.map((treatment): Block => ({ text: verdict(result, one.name, treatment) })),
        ...chartsOf(result, one),
      ],
    })),
  };
};

const chartsOf = (result: Result, { name, net }: Case): Block[] => {
  const kinds = [...new Set(noisesOf(levels[net]).map(({ kind }) => kind))];
  return kinds.map((kind): { readonly chart: LineChart } => ({
    chart: {
      title: `Accuracy under noise: ${kind}`,
      x: { name: unitOf(kind), min: 0 },
      y: { name: 'accuracy, %', max: 100 },
      series: shown.map(([method, treatment]) => {
        const path = caseOf(name, treatment, method);
        const points = [0, ...(levels[net][kind] ?? [])].map((level): [number, number] => {
          const row = find(result, level === 0 ? path : `${path}/${kind}-${level}`, 'accuracy');
          return [level, row?.value ?? Number.NaN];
        });
        const what = method === UNPRUNED ? 'Whole' : titleOf(method);
        return { name: treatment === 'plain' ? what : `${what}, ${treatments[treatment]}`, points };
      }),
    },
  }));
};
