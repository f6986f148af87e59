import type { Levels } from '@espalier/noise';

/** How much worse a pruned net may bear noise: its loss of accuracy by that of the whole net, at most. */
export const MOST = 1.5;

/** The nets; what takes longest comes first. */
export const nets = ['lenet', 'letters'] as const;
export type Net = (typeof nets)[number];

/** A net, and which half of its units goes. */
export interface Case {
  readonly name: string;
  readonly title: string;
  readonly net: Net;
  /** Of each of these groups half goes; of all if there are none. */
  readonly scope?: readonly string[];
}

export const cases: readonly Case[] = [
  {
    name: 'net1',
    title: 'Net1 on MNIST: 160 of the 320 inputs of its hidden layer gone',
    net: 'lenet',
    scope: ['flatten'],
  },
  { name: 'lenet', title: 'LeNet 10-20-50 on MNIST: 5-10-25 left', net: 'lenet' },
  { name: 'letters', title: '60-45-30 on letters: half of each layer gone', net: 'letters' },
];

/** The noise that is measured, and in fine-tuning. */
export const levels: Readonly<Record<Net, Levels>> = {
  lenet: {
    gaussian: [0.3, 0.4],
    saltpepper: [0.1, 0.2],
    occlusion: [6, 9],
    shift: [2, 3],
  },
  letters: { gaussian: [0.02, 0.03, 0.05], saltpepper: [0.01, 0.02, 0.05] },
};

/** SGD, whose rate falls to 0 by half a cosine. */
export interface Recipe {
  readonly epochs: number;
  readonly rate: number;
  /** Of the training rows only so many. */
  readonly rows?: number;
}

/** How a net is trained. */
export interface Recipes {
  readonly momentum: number;
  readonly batchSize: number;
  readonly whole: Recipe;
  readonly tuning: Recipe;
}

/** Ours; those of the tuning had the best accuracy on validation data among those tried. */
export const recipes: Readonly<Record<Net, Recipes>> = {
  lenet: {
    ...{ momentum: 0.9, batchSize: 64 },
    whole: { epochs: 5, rate: 0.02 },
    tuning: { epochs: 1, rate: 0.01, rows: 20_000 },
  },
  letters: {
    ...{ momentum: 0, batchSize: 128 },
    whole: { epochs: 100, rate: 0.4 },
    tuning: { epochs: 20, rate: 0.4 },
  },
};

/** What happens after a pruning: nothing, a short training, or one with noise. */
export const treatments = {
  plain: 'not trained further',
  tuned: 'fine-tuned',
  'noise-tuned': 'fine-tuned with noise',
} as const;
export type Treatment = keyof typeof treatments;
export const treatmentNames: readonly Treatment[] = Object.keys(treatments) as Treatment[];
