/**
 * Singh, "Sensitivity based Pruning hidden Neurons" (2018): the UCI letters by networks with one hidden layer and with
 * three, pruned by Karnin's sensitivity. The paper names its optimizers and epochs, but no learning rates and no batch
 * sizes: those here are ours, chosen on validation data.
 */

export type Activation = 'relu' | 'sigmoid';

/** How one network is trained: by `tf.train`'s optimizer, with a rate that falls to 0 by half a cosine. */
export interface Recipe {
  readonly optimizer: 'sgd' | 'rmsprop';
  readonly rate: number;
  readonly batchSize: number;
  readonly epochs: number;
}

/** A network with one hidden layer. Figures are accuracies in percent. */
export interface SingleRow {
  readonly name: string;
  readonly units: number;
  readonly activation: Activation;
  readonly recipe: Recipe;
  readonly paper?: number;
  readonly target?: number;
}

const single: readonly (Omit<SingleRow, 'name' | 'units'> & { readonly paper: number })[] = [
  {
    activation: 'relu',
    recipe: { optimizer: 'rmsprop', rate: 0.008, batchSize: 256, epochs: 200 },
    paper: 91,
    target: 91.7,
  },
  {
    activation: 'relu',
    recipe: { optimizer: 'sgd', rate: 0.2, batchSize: 256, epochs: 1000 },
    paper: 84.7,
    target: 92,
  },
  {
    activation: 'sigmoid',
    recipe: { optimizer: 'rmsprop', rate: 0.04, batchSize: 128, epochs: 50 },
    paper: 89.72,
    target: 90.5,
  },
  {
    activation: 'sigmoid',
    recipe: { optimizer: 'sgd', rate: 3.2, batchSize: 256, epochs: 1000 },
    paper: 71,
  },
];

/** The paper's figures are those of 50 units. */
export const singleRows: readonly SingleRow[] = [50, 64].flatMap((units) =>
  single.map(({ paper, target, ...row }) => ({
    ...row,
    name: `single/${units}/${row.activation}-${row.recipe.optimizer}`,
    units,
    ...(units === 50 && { paper, ...(target !== undefined && { target }) }),
  })),
);

/** What the paper holds its accuracies against: the adaptive classifier of Frey & Slate (1991), in percent. */
export const ADAPTIVE_CLASSIFIER = 81.6;

/** Version 2: the smallest hidden layer that falls behind 64 units by no more than `tolerance` points. */
export const RESTART = { units: 64, step: 16, tolerance: 0.5, seeds: 3 } as const;

/** The network with three hidden layers, by the names of its layers. */
export const HIDDEN = { fc1: 60, fc2: 45, fc3: 30 } as const;
export type Units = Readonly<Record<keyof typeof HIDDEN, number>>;

/** How it is trained whenever it is trained. */
export const DEEP = { optimizer: 'sgd', rate: 0.4, batchSize: 128, l2: 5e-4 } as const;

/** Epochs of a training that is one whole, and of the first one where another follows that prunes. */
export const EPOCHS = { whole: 200, first: 100 } as const;

/** The paper's rule: every 50 epochs of the first 70%, by a threshold. */
export const RULE = { every: 50, until: 0.7, threshold: 0.001 } as const;

/**
 * Ours, in a training that follows the first one: small steps at a high rate, then a long way to settle. The short one
 * shows what the choice of units is worth where there is little training to make up for it.
 */
export const PRUNINGS = {
  long: { rate: 0.6, epochs: 100, every: 3, until: 0.6 },
  short: { rate: 0.6, epochs: 10, every: 1, until: 0.6 },
} as const;
export type Length = keyof typeof PRUNINGS;

/** What is left after a pruning. */
export interface Left {
  readonly units: Units;
  /** In percent, of pruning by sensitivity. */
  readonly target: number;
}

/** What the paper removed by its rule, and the accuracy in percent that it then had, on average. */
export const PAPER_COUNTS = {
  removed: { fc1: 9, fc2: 1, fc3: 3 },
  paper: 92,
  target: 94,
} as const;

/**
 * Shared out among the layers by validation accuracy: the later, narrower layers lose a smaller part. In proportion to
 * their sizes (42-32-21 to 24-18-12) it was up to half a point less.
 */
export const lefts: readonly Left[] = [
  { units: { fc1: 40, fc2: 32, fc3: 23 }, target: 93.2 },
  { units: { fc1: 33, fc2: 27, fc3: 21 }, target: 92.8 },
  { units: { fc1: 26, fc2: 22, fc3: 19 }, target: 91 },
  { units: { fc1: 20, fc2: 18, fc3: 16 }, target: 88.5 },
];

export const totalOf = ({ fc1, fc2, fc3 }: Units): number => fc1 + fc2 + fc3;
