// Writes the README's table from the benchmark's own output: `node scripts/readme-table.mjs`. A test holds it to that.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

const columns = [
  ['angle-add', 'Add (the paper’s)'],
  ['angle-scale', 'Scaled'],
  ['random-none', 'Random'],
];

/** The table of the benchmark's result, as Markdown. */
export function tableOf({ rows }) {
  const value = (name) => rows.find((row) => row.case === name && row.metric === 'accuracy').value.toFixed(1);
  const papers = rows.filter(({ case: name, reference }) => reference !== undefined && name.includes('-of-'));
  return [
    `| removed | paper | ${columns.map(([, title]) => title).join(' | ')} | unpruned |`,
    `|---|--:|${columns.map(() => '--:|').join('')}--:|`,
    ...papers.map(({ case: name, reference }) => {
      const [net, count] = name.split('/');
      const ours = columns.map(([method]) => value(`${net}/${count}/${method}`));
      const label = `${net[0].toUpperCase()}${net.slice(1)}: ${count.replaceAll('-', ' ')}`;
      return `| ${label} | ${reference} | ${ours.join(' | ')} | ${value(`${net}/unpruned`)} |`;
    }),
  ].join('\n');
}

/** The README with that table between its marks. */
export function withTable(readme, result) {
  return readme.replace(
    /(<!-- sui-2018 -->\n)[\s\S]*?(<!-- \/sui-2018 -->)/,
    (_, start, end) => `${start}\n${tableOf(result)}\n\n${end}`,
  );
}

if (process.argv[1] === import.meta.filename) {
  const path = join(root, 'README.md');
  const result = JSON.parse(readFileSync(join(root, 'apps/benchmark/results/sui-2018.json'), 'utf8'));
  writeFileSync(path, withTable(readFileSync(path, 'utf8'), result));
}
