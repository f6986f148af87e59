import { analyze, type Cost, type Graph, type Group } from '@espalier/core';
import { formatBytes, formatCount } from '@espalier/report';
import type { Command } from 'commander';
import { startEngine } from '../engine.ts';
import { openModel } from '../model-file.ts';
import { addEngineOptions, type EngineOptions } from '../options/common.ts';
import type { Result, Ui } from '../ui.ts';

export const addInspect = (program: Command, ui: Ui): void => {
  const command = program
    .command('inspect <model>')
    .description('Show which units of a model hang together, which can go, and what it costs.');
  addEngineOptions(command).action(async (path: string, options: EngineOptions) => {
    ui.print(await inspect(path, options, ui));
  });
};

async function inspect(given: string, options: EngineOptions, ui: Ui): Promise<Result> {
  await startEngine(options, ui);
  const { model, path, data } = await openModel(given);
  const { groups, layers, cost } = analyze(model);
  return {
    json: {
      command: 'inspect',
      model: path,
      name: model.name,
      ...(data && { dataset: data }),
      cost,
      groups: groups.map((group) => ({ ...summary(group), members: group.members.map(member) })),
      layers,
    },
    text: [
      `${model.name} (${path})\n`,
      groupsTable(groups, ui),
      layersTable(layers, ui),
      costLine(cost),
    ].join('\n'),
  };
}

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

const summary = (group: Group): Record<string, unknown> => {
  const { id, kind, size, producers, prunable, reason, exact, inexactReason, parent } = group;
  return {
    ...{ id, kind, size, producers, consumers: consumers(group), prunable },
    ...(reason !== undefined && { reason }),
    exact,
    ...(inexactReason !== undefined && { inexactReason }),
    ...(parent !== undefined && { parent }),
  };
};

const groupsTable = (groups: readonly Group[], ui: Ui): string =>
  ui.table('Groups', {
    columns: [
      { name: 'group' },
      { name: 'kind' },
      { name: 'units', numeric: true },
      { name: 'made by' },
      { name: 'read by' },
      { name: 'prunable' },
      { name: 'exact' },
    ],
    rows: groups.map((group) => [
      group.id,
      group.kind,
      group.size,
      group.producers.join(', '),
      consumers(group).join(', '),
      group.prunable ? 'yes' : `no: ${group.reason}`,
      !group.prunable ? '-' : group.exact ? 'yes' : `no: ${group.inexactReason}`,
    ]),
  });

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

export const costLine = ({ params, macs, bytes }: Cost): string =>
  `${formatCount(params)} parameters, ${formatCount(macs)} multiply-adds, ${formatBytes(bytes)}\n`;
