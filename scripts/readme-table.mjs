// Writes the README's tables from the benchmarks' own output: `node scripts/readme-table.mjs`. A test holds it to that.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

/** A Markdown table: what the columns hold, aligned to the right but for the first; then the rows. */
function markdown(columns, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(columns), `|---|${columns.slice(1).fill('--:|').join('')}`, ...rows.map(line)].join('\n');
}

const accuracyIn = (rows) => (name) =>
  rows.find((row) => row.case === name && row.metric === 'accuracy').value.toFixed(1);

function sui({ rows }) {
  const methods = {
    'angle-add': 'Add (the paper’s)',
    'angle-weighted': 'Refit',
    'bounds-weighted': 'Refit, within angles',
    'reconstruction-weighted': 'Reconstruction',
    'random-none': 'Random',
  };
  const accuracy = accuracyIn(rows);
  const papers = rows.filter(({ case: name, reference }) => reference !== undefined && name.includes('-of-'));
  return markdown(
    ['removed', 'paper', ...Object.values(methods), 'unpruned'],
    papers.map(({ case: name, reference }) => {
      const [net, count] = name.split('/');
      const ours = Object.keys(methods).map((method) => accuracy(`${net}/${count}/${method}`));
      const label = `${net[0].toUpperCase()}${net.slice(1)}: ${count.replaceAll('-', ' ')}`;
      return [label, reference, ...ours, accuracy(`${net}/unpruned`)];
    }),
  );
}

function singh({ rows }) {
  const accuracy = accuracyIn(rows);
  const names = { relu: 'ReLU', sigmoid: 'sigmoid', rmsprop: 'RMSProp', sgd: 'SGD' };
  const singles = rows.filter(
    ({ case: name, metric }) => /^single\/50\//.test(name) && metric === 'accuracy',
  );
  const methods = { sensitivity: 'Sensitivity', relevance: 'Relevance', random: 'Random' };
  const lefts = rows.flatMap(({ case: name, metric }) => {
    const left = /^deep\/(\d+)-left\/sensitivity$/.exec(name)?.[1];
    return left && metric === 'accuracy' ? [left] : [];
  });
  return [
    markdown(
      ['network', 'paper', 'ours'],
      [
        ...singles.map(({ case: name, reference }) => {
          const [activation, optimizer] = name.split('/')[2].split('-');
          return [`50 units, ${names[activation]}, ${names[optimizer]}`, reference, accuracy(name)];
        }),
        ['60-45-30, not pruned', '', accuracy('deep/unpruned')],
        ['60-45-30 without 9, 1 and 3 units', 92, accuracy('deep/paper-counts')],
      ],
    ),
    markdown(
      [
        'hidden units left',
        ...Object.values(methods),
        'From scratch',
        ...Object.values(methods).map((name) => `${name}, hardly trained`),
      ],
      lefts.map((left) => [
        `${left} of 135`,
        ...Object.keys(methods).map((method) => accuracy(`deep/${left}-left/${method}`)),
        accuracy(`deep/${left}-left/from-scratch`),
        ...Object.keys(methods).map((method) => accuracy(`deep/${left}-left/short/${method}`)),
      ]),
    ),
  ].join('\n\n');
}

function noise({ rows }) {
  const nets = {
    net1: 'Net1, 160 of 320 inputs',
    lenet: 'LeNet, half of every group',
    letters: '60-45-30, half of each',
  };
  const methods = {
    'reconstruction-refit': 'reconstruction',
    'taylor-refit': 'Taylor',
    'magnitude-refit': 'magnitude',
    'angle-refit': 'angle',
    'random-refit': 'random',
  };
  const treatments = ['plain', 'tuned', 'noise-tuned'];
  const shown = (name) => {
    const value = (metric) => rows.find((row) => row.case === name && row.metric === metric).value;
    return `${value('accuracy').toFixed(1)}, ${value('ratio').toFixed(2)}`;
  };
  return markdown(
    ['half gone by', 'not trained further', 'fine-tuned', 'fine-tuned with noise'],
    Object.entries(nets).flatMap(([net, title]) =>
      Object.entries(methods).map(([method, who]) => [
        `${title}: ${who}`,
        ...treatments.map((treatment) => shown(`${net}/${treatment}/${method}`)),
      ]),
    ),
  );
}

const tables = { 'sui-2018': sui, 'singh-2018': singh, noise };

/** The benchmarks whose figures stand in the README. */
export const benchmarks = Object.keys(tables);

/** The README with one benchmark's tables between its marks. */
export function withTable(readme, result) {
  const marks = new RegExp(`(<!-- ${result.name} -->\\n)[\\s\\S]*?(<!-- /${result.name} -->)`);
  return readme.replace(marks, (_, start, end) => `${start}\n${tables[result.name](result)}\n\n${end}`);
}

/** A benchmark's result as it is kept. */
export const resultOf = (name) =>
  JSON.parse(readFileSync(join(root, 'apps/benchmark/results', `${name}.json`), 'utf8'));

if (process.argv[1] === import.meta.filename) {
  const path = join(root, 'README.md');
  const readme = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    benchmarks.reduce((text, name) => withTable(text, resultOf(name)), readme),
  );
}
