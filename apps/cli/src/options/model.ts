import { type Activation, activations, type BuildOptions, type ModelName, models } from '@espalier/models';
import type { Command } from 'commander';
import { UsageError } from '../errors.ts';
import { number, oneOf, widths } from '../parse.ts';

export interface ModelOptions {
  readonly model?: ModelName;
  readonly conv?: readonly number[];
  readonly dense?: readonly number[];
  readonly hidden?: readonly number[];
  readonly activation?: Activation;
  readonly dropout?: number;
  readonly l2?: number;
}

export const modelNames: readonly ModelName[] = Object.keys(models) as ModelName[];

export const addModelOptions = (command: Command): Command =>
  command
    .optionsGroup('Model:')
    .option(
      '--model <name>',
      `${modelNames.join(', ')} (default: lenet for images, else mlp)`,
      oneOf(modelNames),
    )
    .option('--conv <filters>', 'lenet: filters of each convolution, like 10,20', widths)
    .option('--dense <units>', 'lenet: units of each hidden dense layer, like 50', widths)
    .option('--hidden <units>', 'mlp: units of each hidden layer, like 60,45,30', widths)
    .option('--activation <name>', `${activations.join(', ')} (default: relu)`, oneOf(activations))
    .option('--dropout <rate>', 'after each hidden dense layer (default: 0)', number)
    .option('--l2 <weight>', 'mlp: decay of all kernels (default: 0)', number)
    .optionsGroup('Options:');

/** The network that the options mean for rows of a shape. */
export function chooseModel(
  { model, conv, dense, hidden, activation, dropout, l2 }: ModelOptions,
  inputShape: readonly number[],
): { readonly name: ModelName; readonly options: BuildOptions } {
  const name = model ?? (inputShape.length === 3 ? 'lenet' : 'mlp');
  const given = Object.fromEntries(
    Object.entries({ conv, dense, hidden, activation, dropout, l2 }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  const takes: readonly string[] = models[name].options;
  const stranger = Object.keys(given).find((key) => !takes.includes(key));
  if (stranger !== undefined) {
    const others = modelNames.filter((other) =>
      (models[other].options as readonly string[]).includes(stranger),
    );
    throw new UsageError(`${name} takes no --${stranger}: use --model ${others.join(' or ')}`);
  }
  return { name, options: given };
}
