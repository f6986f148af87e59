import { savedModel } from '@espalier/engine';
import { formatMilliseconds, formatNumber, formatPercent } from '@espalier/report';
import type { EvaluateEvent } from '@espalier/trainer';
import type { Command } from 'commander';
import { loadData, withTensors } from '../data.ts';
import { startEngine } from '../engine.ts';
import { measureAll } from '../measure.ts';
import { checkFit, compile, openModel } from '../model-file.ts';
import { addEngineOptions, type EngineOptions } from '../options/common.ts';
import { addDataOptions, type DataOptions } from '../options/data.ts';
import { oneOf } from '../parse.ts';
import { evaluationJson } from '../report.ts';
import type { Result, Ui } from '../ui.ts';

interface EvaluateOptions extends EngineOptions, DataOptions {
  readonly on?: EvaluateEvent['split'];
}

export const addEvaluate = (program: Command, ui: Ui): void => {
  const command = program
    .command('evaluate <model>')
    .description('Measure a model: loss, accuracy, confusions, latency and size.');
  addDataOptions(command).option(
    '--on <part>',
    'train, validation or test (default: test)',
    oneOf(['train', 'validation', 'test']),
  );
  addEngineOptions(command).action(async (path: string, options: EvaluateOptions) => {
    ui.print(await evaluateModel(path, options, ui));
  });
};

async function evaluateModel(given: string, options: EvaluateOptions, ui: Ui): Promise<Result> {
  const { on = 'test' } = options;
  const engine = await startEngine(options, ui);
  const { model, path, data: remembered } = await openModel(given);
  const { dataset } = await loadData(options, ui, remembered);
  checkFit(model, dataset);
  if (dataset[on].rows === 0)
    throw new Error(`${dataset.name} has no ${on} rows with these options: choose another part with --on`);
  compile(model);
  const measured = await withTensors(dataset, { part: on }, ({ part }) =>
    measureAll(model, part, { stage: 'evaluated', split: on }),
  );
  // as its files are: they may be quantized
  const { bytes, gzipped } = await savedModel(path);
  const event = { ...measured, disk: { bytes, gzipped } };
  const { stage: _, ...evaluation } = evaluationJson(event);
  const { name, classes } = dataset;
  return {
    json: {
      command: 'evaluate',
      model: path,
      engine,
      dataset: name,
      classes,
      rows: dataset[on].rows,
      ...evaluation,
    },
    text: `${summary(event, ui)}\n${confusions(event, classes, ui)}`,
  };
}

const summary = ({ split, loss, accuracy, latency }: EvaluateEvent, ui: Ui): string =>
  ui.table(`On ${split} data`, {
    columns: [
      { name: 'accuracy', numeric: true },
      { name: 'loss', numeric: true },
      { name: 'latency', numeric: true },
    ],
    rows: [
      [
        formatPercent(accuracy, 2),
        formatNumber(loss),
        latency ? `${formatMilliseconds(latency.milliseconds)} for ${latency.batch} rows` : null,
      ],
    ],
  });

/** The whole matrix needs a column for each class. */
const MOST_CLASSES = 12;

function confusions({ confusion }: EvaluateEvent, classes: readonly string[], ui: Ui): string {
  if (classes.length <= MOST_CLASSES) {
    return ui.table('Confusion (rows: what it is, columns: what the model says)', {
      columns: [{ name: '' }, ...classes.map((name) => ({ name, numeric: true }))],
      rows: confusion.map((row, i) => [classes[i]!, ...row]),
    });
  }
  const mistakes = confusion.flatMap((row, actual) =>
    row
      .map((count, said) => ({ actual, said, count }))
      .filter(({ said, count }) => said !== actual && count > 0),
  );
  return ui.table('Most frequent confusions', {
    columns: [{ name: 'is' }, { name: 'taken for' }, { name: 'times', numeric: true }],
    rows: mistakes
      .sort((a, b) => b.count - a.count)
      .slice(0, 10)
      .map(({ actual, said, count }) => [classes[actual]!, classes[said]!, count]),
  });
}
