import { htmlTable, type LineChart, type Page } from '@espalier/report';
import { find, metaOf, type Result } from '../benchmark.ts';
import { caseOf } from './jobs.ts';
import { FRONTIER_TARGET, type Level, type Method, methods, POINTS, TUNING } from './settings.ts';
import { frontierOf, frontierTable, levelNames, levelTable, levelTitle } from './tables.ts';

export function pageOf(result: Result): Page {
  const { dataset, seeds, quick } = result.environment;
  const runs = seeds === 1 ? 'one training of each' : `means of ${seeds} trainings of each`;
  return {
    title: 'Pruning similar filters',
    intro:
      `LeNet-5 with 20 and 50 filters and 500 neurons on ${dataset}: accuracy on test data in percent, ${runs}.` +
      (quick === true ? ' This is the quick form: its figures only show that it runs.' : ''),
    meta: metaOf(result.environment),
    sections: [
      ...levelNames.map((level) => ({
        heading: levelTitle(result, level),
        intro:
          'Who chooses matters before any tuning, and less with each epoch. Refitted: what reads the filters is fitted anew to ' +
          'those that stay, by least squares, without tuning.',
        blocks: [
          {
            table: htmlTable({ caption: 'Accuracy after how much tuning', ...levelTable(result, level) }),
          },
          { chart: tuningChart(result, level) },
        ],
      })),
      {
        heading: 'How small it can be',
        intro:
          'From each network the next: units go in small steps, what reads them is fitted anew, and what is left learns from ' +
          `the unpruned one. At most ${FRONTIER_TARGET.params} parameters should have ${FRONTIER_TARGET.accuracy}%.`,
        blocks: [
          { chart: frontierChart(result) },
          { table: htmlTable({ caption: 'Parameters and accuracy', ...frontierTable(result) }) },
        ],
      },
    ],
  };
}

function tuningChart(result: Result, level: Level): LineChart {
  return {
    title: `Accuracy while the network is tuned, ${level.replace('-', ' ')} gone`,
    x: { name: 'epochs', min: 0, max: TUNING.epochs },
    y: { name: 'accuracy, %' },
    series: (Object.keys(methods) as Method[]).map((method) => {
      const at = caseOf({ kind: 'thinned', level, method });
      const parts = [
        ...POINTS.map((epoch) => [epoch, `${at}/after-${epoch}`] as const),
        [TUNING.epochs, at] as const,
      ];
      return {
        name: methods[method],
        dashed: method === 'random',
        points: parts.flatMap(([epoch, name]) => {
          const row = find(result, name);
          return row ? [[epoch, row.value] as const] : [];
        }),
      };
    }),
    height: 240,
  };
}

/** Parameters as a power of ten: each network has a few times fewer than the one before. */
const frontierChart = (result: Result): LineChart => ({
  title: 'Accuracy against parameters',
  x: { name: 'parameters, log 10' },
  y: { name: 'accuracy, %' },
  series: [
    {
      name: 'pruned',
      points: frontierOf(result).map(
        ({ params, accuracy }) => [Math.log10(params.value), accuracy.value] as const,
      ),
    },
  ],
  height: 240,
});
