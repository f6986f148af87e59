/**
 * Aghasi, Abdi, Nguyen, Romberg, "Net-Trim" (2017): six networks on MNIST, by the number of images that they are trained on.
 * 784-300-1000-300-10 is that of the authors' code, the convolutions are those that Liebenwein et al. (torchprune, `cnn60k`)
 * rebuilt to compare themselves with this paper, the other layers what is known of it; how they are trained, and how far
 * they are pruned, is ours.
 */

/** How a network is trained, by Adam, with a rate that falls to 0 by half a cosine. */
export interface Recipe {
  readonly epochs: number;
  readonly batchSize: number;
  readonly rate: number;
}

/** One network of the table. */
export interface Network {
  readonly name: string;
  /** For tables. */
  readonly title: string;
  /** Training images. MNIST's 60,000 are 55,000 here: 5,000 are for validation. */
  readonly rows: number;
  /** The filters of its 5x5 convolutions without padding, each followed by a relu, the last by 2x2 max pooling, too. */
  readonly conv: readonly number[];
  /** Its hidden dense layers. */
  readonly hidden: readonly number[];
  readonly training: Recipe;
  /** With the zeros held, on at most so many of the training images. */
  readonly tuning: Recipe & { readonly rows: number };
  /** What Net-Trim is tried with, until the highest level is reached. */
  readonly epsilons: readonly number[];
  /** Of Net-Trim, whatever epsilon is. */
  readonly search: { readonly patterns: number; readonly iterations: number };
  /** Whether Net-Trim is tried in cascade, too. */
  readonly cascade: boolean;
}

const dense = {
  ...{ conv: [], epsilons: [0.03, 0.12, 0.35, 0.5] },
  ...{ search: { patterns: 3000, iterations: 60 }, cascade: false },
};
const convolutional = {
  ...{ conv: [32, 32], hidden: [512] },
  // on CNN-30K 5e-4 does worse by the validation images
  ...{ tuning: { ...recipe(1, 1e-4), rows: 60_000 } },
  // with twice as many weights as the largest of the others, all takes longer
  ...{ epsilons: [0.003, 0.012, 0.045, 0.1], search: { patterns: 3000, iterations: 30 } },
  cascade: false,
};

export const networks: readonly Network[] = [
  {
    name: 'nn2-10k',
    title: 'NN2-10K',
    rows: 10_000,
    ...dense,
    hidden: [300, 300],
    ...tunedAsTrained(10),
    cascade: true,
  },
  {
    name: 'nn3-30k',
    title: 'NN3-30K',
    rows: 30_000,
    ...dense,
    hidden: [300, 500, 300],
    ...tunedAsTrained(6),
  },
  {
    name: 'nn3-60k',
    title: 'NN3-60K',
    rows: 60_000,
    ...dense,
    hidden: [300, 1000, 300],
    ...tunedAsTrained(5),
  },
  { name: 'cnn-10k', title: 'CNN-10K', rows: 10_000, ...convolutional, training: recipe(6) },
  { name: 'cnn-30k', title: 'CNN-30K', rows: 30_000, ...convolutional, training: recipe(3) },
  {
    name: 'cnn-60k',
    title: 'CNN-60K',
    rows: 60_000,
    ...convolutional,
    training: recipe(2),
    tuning: { ...recipe(1, 5e-4), rows: 20_000 },
  },
];

function recipe(epochs: number, rate = 1e-3): Recipe {
  return { epochs, batchSize: 64, rate };
}

/** A lower rate did worse on the validation images of NN2-10K and NN3-30K, and so did 20,000 of NN3-30K's images alone. */
function tunedAsTrained(epochs: number): Pick<Network, 'training' | 'tuning'> {
  const training = recipe(epochs);
  return { training, tuning: { ...training, rows: 60_000 } };
}

/** Weight decay, as in the authors' first code: this times the sum of the squared kernels. */
export const DECAY = 1e-4;
/** At least so many percent of all kernels' weights go. */
export const LEVELS: readonly number[] = [50, 75, 85];
