import { models } from '@espalier/models';
import type { Command } from 'commander';
import { prunerNames, pruners } from '../catalog/pruners.ts';
import { weightPrunerNames, weightPruners } from '../catalog/weight-pruners.ts';
import { addCommonOptions } from '../options/common.ts';
import { modelNames } from '../options/model.ts';
import type { Ui } from '../ui.ts';

/** How options follow a pruner's name. */
const form = (name: string, options: readonly string[]): string =>
  options.length === 0 ? '' : `${name}:${options.map((key) => `${key}=...`).join(',')}`;

const flags = (options: readonly string[]): string => options.map((key) => `--${key}`).join(' ');

export const addModels = (program: Command, ui: Ui): void => {
  const command = program.command('models').description('List the networks that train can build.');
  addCommonOptions(command).action(() => {
    const entries = modelNames.map((name) => {
      const { description, options } = models[name];
      // the dataset decides the shape and the classes
      return {
        name,
        description,
        options: options.filter((key) => key !== 'inputShape' && key !== 'classes'),
      };
    });
    ui.print({
      json: { command: 'models', models: entries },
      text: ui.list(entries.map(({ name, description, options }) => [name, description, flags(options)])),
    });
  });
};

export const addPruners = (program: Command, ui: Ui): void => {
  const command = program
    .command('pruners')
    .description('List the criteria that units, and single weights, are judged by.');
  addCommonOptions(command).action(() => {
    const entries = prunerNames.map((name) => {
      const { criterion, paper, options, make } = pruners[name];
      const pruner = make({}, 1);
      return {
        name,
        criterion,
        pairs: 'compare' in pruner,
        needs: pruner.needs ?? [],
        options: Object.keys(options),
        paper,
      };
    });
    const ofWeights = weightPrunerNames.map((name) => {
      const { criterion, paper, options } = weightPruners[name];
      return { name, criterion, options: Object.keys(options), paper };
    });
    const units = ui.list(
      entries.map(({ name, criterion, needs, options, paper }) => [
        name,
        criterion,
        `looks at ${['weights', ...needs].join(', ')}`,
        form(name, options),
        paper,
      ]),
    );
    const weights = ui.list(
      ofWeights.map(({ name, criterion, options, paper }) => [name, criterion, form(name, options), paper]),
    );
    ui.print({
      json: { command: 'pruners', pruners: entries, weightPruners: ofWeights },
      text: `${units}\nOf single weights, for --weights:\n${weights}`,
    });
  });
};
