import { analyze, type Cost, type Graph, type Group, type Saving, savingsOf } from '@espalier/core';
import { formatBytes, formatCount, renderInspection } from '@espalier/report';
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

const inexactReasonOf = ({ prunable, inexactReason }: Group): string | undefined =>
  prunable ? inexactReason : undefined;

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
      groupsTable(groups, savings, ui),
      ...reasonsList('Go only if --scope names them', groups, inexactReasonOf, ui),
      ...reasonsList('Stay as they are', groups, ({ reason }) => reason, ui),
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

const groupsTable = (groups: readonly Group[], savings: ReadonlyMap<string, Saving>, ui: Ui): string =>
  ui.table('Groups, and what a tenth of each would save', {
    columns: [
      { name: 'group' },
      { name: 'kind' },
      { name: 'units', numeric: true },
      { name: 'made by' },
      { name: 'read by' },
      { name: 'a tenth', numeric: true },
      { name: 'params', numeric: true },
      { name: 'multiply-adds', numeric: true },
    ],
    rows: groups
      .filter(({ prunable }) => prunable)
      .map((group) => {
        const saved = savings.get(group.id);
        return [
          ...[group.id, group.kind, group.size, group.producers.join(', '), consumers(group).join(', ')],
          ...(saved ? [saved.units, formatCount(saved.params), formatCount(saved.macs)] : [null, null, null]),
        ];
      }),
  });

/** Reasons are sentences: a table would cut them. */
const reasonsList = (
  heading: string,
  groups: readonly Group[],
  reasonOf: (group: Group) => string | undefined,
  ui: Ui,
): string[] => {
  const entries = groups.flatMap((group): [string, string][] => {
    const reason = reasonOf(group);
    return reason === undefined ? [] : [[group.id, `${group.size} units: ${reason}`]];
  });
  return entries.length > 0 ? [`${ui.strong(heading)}\n${ui.list(entries)}`] : [];
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
