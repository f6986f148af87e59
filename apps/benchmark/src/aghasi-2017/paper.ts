/**
 * Aghasi, Abdi, Nguyen, Romberg, "Net-Trim" (2017): six networks on MNIST, by the number of images that they are trained on.
 * Layers are those of the paper and of its authors' code; how they are trained, and how far they are pruned, is ours.
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
  /** The filters of its 5x5 convolutions, each followed by a relu and by 2x2 max pooling. */
  readonly conv: readonly number[];
  /** Its hidden dense layers. */
  readonly hidden: readonly number[];
  readonly recipe: Recipe;
}

const dense = { batchSize: 64, rate: 1e-3 };
const conv = { conv: [32, 64], hidden: [512] };

export const networks: readonly Network[] = [
  { name: 'nn2-10k', title: 'NN2-10K', rows: 10_000, hidden: [300, 300], recipe: { ...dense, epochs: 10 } },
  {
    name: 'nn3-30k',
    title: 'NN3-30K',
    rows: 30_000,
    hidden: [300, 500, 300],
    recipe: { ...dense, epochs: 6 },
  },
  {
    name: 'nn3-60k',
    title: 'NN3-60K',
    rows: 60_000,
    hidden: [300, 1000, 300],
    recipe: { ...dense, epochs: 5 },
  },
  { name: 'cnn-10k', title: 'CNN-10K', rows: 10_000, ...conv, recipe: { ...dense, epochs: 6 } },
  { name: 'cnn-30k', title: 'CNN-30K', rows: 30_000, ...conv, recipe: { ...dense, epochs: 3 } },
  { name: 'cnn-60k', title: 'CNN-60K', rows: 60_000, ...conv, recipe: { ...dense, epochs: 2 } },
].map((network) => ({ conv: [], ...network }));

/** Held back from training: choices are made by them. */
export const VALIDATION = 5000;
/** Weight decay, as in the authors' first code: this times the sum of the squared kernels. */
export const DECAY = 1e-4;
/** At least so many percent of all kernels' weights go. */
export const LEVELS: readonly number[] = [50, 75, 85];
/** What Net-Trim is tried with, until the highest level is reached. */
export const EPSILONS: readonly number[] = [0.01, 0.03, 0.08, 0.12, 0.2, 0.35, 0.5];
/** Of Net-Trim, whatever epsilon is. */
export const SEARCH = { patterns: 3000, iterations: 60 } as const;
/** Fine-tuning with the zeros held, on so many of the training images. */
export const TUNING = { rows: 20_000, epochs: 2, batchSize: 64, rate: 5e-4 } as const;
