import { savedModel } from '@espalier/engine';
import { formatBytes, formatMilliseconds, formatNumber, formatPercent, noiseTable } from '@espalier/report';
import type { EvaluateEvent, NoiseEvent } from '@espalier/trainer';
import type { Command } from 'commander';
import { loadData, withTensors } from '../data.ts';
import { startEngine } from '../engine.ts';
import { measure, measureLatencies, measureNoise } from '../measure.ts';
import { checkFit, compile, type OpenedModel, openModel } from '../model-file.ts';
import { addEngineOptions, type EngineOptions } from '../options/common.ts';
import { addDataOptions, type DataOptions } from '../options/data.ts';
import { addNoiseOption, checkNoiseFits, type NoiseOptions } from '../options/noise.ts';
import { oneOf } from '../parse.ts';
import { evaluationJson } from '../report.ts';
import type { Result, Ui } from '../ui.ts';

interface EvaluateOptions extends EngineOptions, DataOptions, NoiseOptions {
  readonly on?: EvaluateEvent['split'];
}

export const addEvaluate = (program: Command, ui: Ui): void => {
  const command = program
    .command('evaluate <model> [others...]')
    .description(
      'Measure a model: loss, accuracy, confusions, latency and size; or several on the same data, side by side.',
    );
  addNoiseOption(addDataOptions(command)).option(
    '--on <part>',
    'train, validation or test (default: test)',
    oneOf(['train', 'validation', 'test']),
  );
  addEngineOptions(command).action(
    async (path: string, others: readonly string[], options: EvaluateOptions) => {
      ui.print(await evaluateModels([path, ...others], options, ui));
    },
  );
};

/** On the data that the first model remembers, if no other are asked for. */
async function evaluateModels(given: readonly string[], options: EvaluateOptions, ui: Ui): Promise<Result> {
  const { on: split = 'test', noise } = options;
  const engine = await startEngine(options, ui);
  const opened: OpenedModel[] = [];
  for (const one of given) opened.push(await openModel(one));
  const { dataset } = await loadData(options, ui, opened[0]!.data);
  for (const { model } of opened) checkFit(model, dataset);
  checkNoiseFits(options, dataset.inputShape);
  const { name, classes, train } = dataset;
  const { rows } = dataset[split];
  if (rows === 0)
    throw new Error(`${name} has no ${split} rows with these options: choose another part with --on`);
  for (const { model } of opened) compile(model);
  const { events, noises } = await withTensors(dataset, { part: split }, async ({ part }) => {
    const models = Object.fromEntries(opened.map(({ path, model }) => [path, model]));
    const latencies = await measureLatencies(Object.values(models), part);
    const measured: EvaluateEvent[] = [];
    for (const [i, [path, model]] of Object.entries(models).entries()) {
      const event = await measure(model, part, { stage: path, split });
      // as its files are: they may be quantized
      const { bytes, gzipped } = await savedModel(path);
      measured.push({ ...event, latency: latencies[i]!, disk: { bytes, gzipped } });
    }
    return { events: measured, noises: await measureNoise(models, part, { levels: noise, train, split }) };
  });
  const about = { command: 'evaluate', engine, dataset: name, classes, rows };
  const models = events.map((event) => modelJson(event, noises));
  return {
    json: models.length === 1 ? { ...about, ...models[0]! } : { ...about, models },
    text: [
      summary(events, ui),
      ...(events.length === 1 ? [confusions(events[0]!, classes, ui)] : []),
      ...(noises.length > 0 ? [ui.table('Accuracy under noise', noiseTable(noises))] : []),
    ].join('\n'),
  };
}

function modelJson(event: EvaluateEvent, noises: readonly NoiseEvent[]): Record<string, unknown> {
  const { stage, ...evaluation } = evaluationJson(event);
  const curves = noises.filter((one) => one.stage === stage).map(({ noise, points }) => ({ noise, points }));
  return { model: stage, ...evaluation, ...(curves.length > 0 && { noise: curves }) };
}

const summary = (events: readonly EvaluateEvent[], ui: Ui): string => {
  const several = events.length > 1;
  return ui.table(`On ${events[0]!.split} data`, {
    columns: [
      ...(several ? [{ name: 'model' }] : []),
      { name: 'accuracy', numeric: true },
      { name: 'loss', numeric: true },
      { name: 'latency', numeric: true },
      ...(several ? [{ name: 'on disk', numeric: true }] : []),
    ],
    rows: events.map(({ stage, loss, accuracy, latency, disk }) => [
      ...(several ? [stage] : []),
      formatPercent(accuracy, 2),
      formatNumber(loss),
      latency ? `${formatMilliseconds(latency.milliseconds)} for ${latency.batch} rows` : null,
      ...(several ? [disk ? formatBytes(disk.bytes) : null] : []),
    ]),
  });
};

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
