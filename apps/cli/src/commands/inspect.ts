import { analyze, type Cost, type Graph, type Group, type Saving, savingsOf } from '@espalier/core';
import { formatBytes, formatCount, formatPercent, renderInspection } from '@espalier/report';
import type { Command } from 'commander';
import { startEngine } from '../engine.ts';
import { checkFile, writeWhole } from '../files.ts';
import { openToLook } from '../model-file.ts';
import { addEngineOptions, type EngineOptions } from '../options/common.ts';
import { place } from '../parse.ts';
import type { Result, Ui } from '../ui.ts';

interface InspectOptions extends EngineOptions {
  readonly out?: string;
  readonly overwrite?: boolean;
}

export const addInspect = (program: Command, ui: Ui): void => {
  const command = program
    .command('inspect <model>')
    .description(
      'Show which units of a model hang together, which can go, what that saves, and what it costs.',
    )
    .option('--out <file>', 'where a page with a picture of all that goes, as HTML', place)
    .option('--overwrite', 'replace a file that is in --out');
  addEngineOptions(command).action(async (path: string, options: InspectOptions) => {
    ui.print(await inspect(path, options, ui));
  });
};

/** The share of a group's units whose saving is shown. */
const TENTH = 0.1;

async function inspect(given: string, options: InspectOptions, ui: Ui): Promise<Result> {
  const { out } = options;
  if (out !== undefined) await checkFile(out, options.overwrite);
  await startEngine(options, ui);
  const { model, path, data, faults } = await openToLook(given);
  const graph = analyze(model);
  const savings = savingsOf(model, TENTH);
  const { groups, layers, cost } = graph;
  if (out !== undefined)
    await writeWhole(out, renderInspection({ name: model.name, graph, savings, faults }));
  return {
    json: {
      ...{ command: 'inspect', model: path, name: model.name },
      ...(out !== undefined && { out }),
      ...(data && { dataset: data }),
      ...{ faults, cost, layers },
      groups: groups.map((group) => summary(group, savings.get(group.id))),
    },
    text: [
      `${model.name} (${path})\n`,
      ...(faults.length > 0 ? [faultsText(faults)] : []),
      groupsTable(groups, savings, cost, ui),
      frozenList(groups, ui),
      layersTable(layers, ui),
      costLine(cost),
      ...(out === undefined ? [] : [`Page: ${out}\n`]),
    ].join('\n'),
  };
}

const faultsText = (faults: readonly string[]): string =>
  `TensorFlow.js does not compute what this model says:\n${faults.map((fault) => `* ${fault}\n`).join('')}`;

const member = ({ layer, weight, axis, role }: Group['members'][number]): Record<string, unknown> => ({
  layer,
  weight,
  axis,
  role,
});

/** Who reads a group's units. */
const consumers = ({ members }: Group): string[] => [
  ...new Set(members.filter(({ role }) => role === 'reads').map(({ layer }) => layer)),
];

const summary = (group: Group, tenth: Saving | undefined): Record<string, unknown> => {
  const { id, kind, size, producers, prunable, reason, exact, inexactReason, parent, members } = group;
  return {
    ...{ id, kind, size, producers, consumers: consumers(group), prunable },
    ...(reason !== undefined && { reason }),
    exact,
    ...(inexactReason !== undefined && { inexactReason }),
    ...(parent !== undefined && { parent }),
    ...(tenth && { tenth }),
    members: members.map(member),
  };
};

function groupsTable(
  groups: readonly Group[],
  savings: ReadonlyMap<string, Saving>,
  cost: Cost,
  ui: Ui,
): string {
  const saved = (id: string, of: 'params' | 'macs'): string | null => {
    const saving = savings.get(id);
    return saving ? `${formatCount(saving[of])} (${formatPercent(saving[of] / (cost[of] || 1))})` : null;
  };
  return ui.table('Groups, and what a tenth of each would save', {
    columns: [
      { name: 'group' },
      { name: 'kind' },
      { name: 'units', numeric: true },
      { name: 'made by' },
      { name: 'read by' },
      { name: 'a tenth', numeric: true },
      { name: 'params', numeric: true },
      { name: 'multiply-adds', numeric: true },
      { name: 'exact' },
    ],
    rows: groups
      .filter(({ prunable }) => prunable)
      .map((group) => [
        ...[group.id, group.kind, group.size, group.producers.join(', '), consumers(group).join(', ')],
        ...[savings.get(group.id)?.units ?? null, saved(group.id, 'params'), saved(group.id, 'macs')],
        group.exact ? 'yes' : `no: ${group.inexactReason}`,
      ]),
  });
}

/** Reasons are sentences: a table would cut them. */
const frozenList = (groups: readonly Group[], ui: Ui): string => {
  const frozen = groups.filter(({ prunable }) => !prunable);
  if (frozen.length === 0) return '';
  const list = ui.list(frozen.map(({ id, size, reason }) => [id, `${size} units: ${reason}`]));
  return `${ui.strong('Stay as they are')}\n${list}`;
};

const layersTable = (layers: Graph['layers'], ui: Ui): string =>
  ui.table('Layers', {
    columns: [
      { name: 'layer' },
      { name: 'class' },
      { name: 'output' },
      { name: 'params', numeric: true },
      { name: 'multiply-adds', numeric: true },
    ],
    rows: layers.map(({ name, className, outputShape, params, macs }) => [
      name,
      className,
      outputShape
        .slice(1)
        .map((n) => n ?? '?')
        .join('×'),
      params,
      macs,
    ]),
  });

const costLine = ({ params, macs, bytes }: Cost): string =>
  `${formatCount(params)} parameters, ${formatCount(macs)} multiply-adds, ${formatBytes(bytes)}\n`;
