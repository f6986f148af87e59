/**
 * Sui, "Pruning Techniques for CNNs based on Similarity of Hidden Units" (2018): three LeNets on MNIST, the
 * inputs of their hidden layer pruned by the angles between them, without retraining.
 */
export interface PaperNet {
  readonly name: string;
  /** Filters of the two convolutions. */
  readonly conv: readonly [number, number];
  /** The inputs of fc1. */
  readonly units: number;
  /** By lower bound: the units that went and the accuracy in percent that was left. */
  readonly rows: readonly { readonly lower: number; readonly pruned: number; readonly accuracy: number }[];
  /** Ours: how many units should go at the cost of a point. */
  readonly far: number;
}

/** In degrees. */
export const UPPER = 150;
/** In points: what may be lost, at the paper's counts and at the far one. */
export const LOSS = { paper: 0.3, far: 1 } as const;
/** In percent: what an unpruned net should reach. */
export const UNPRUNED_TARGET = 98;
export const HIDDEN = 50;
/** Ours; the paper does not say how it trained. */
export const TRAINING = {
  optimizer: 'momentum',
  rate: 0.02,
  momentum: 0.9,
  epochs: 5,
  batchSize: 64,
  normalize: 'standard',
} as const;

const LOWER = [60, 65, 70, 75, 80];

const net = (
  name: string,
  filters: number,
  units: number,
  pruned: number[],
  accuracy: number[],
  far: number,
): PaperNet => ({
  name,
  conv: [10, filters],
  units,
  rows: LOWER.map((lower, i) => ({ lower, pruned: pruned[i]!, accuracy: accuracy[i]! })),
  far,
});

export const nets: readonly PaperNet[] = [
  net('net1', 20, 320, [37, 92, 137, 146, 158], [96, 95, 83, 81, 87], 260),
  net('net2', 40, 640, [128, 230, 299, 317, 319], [94, 84, 90, 89, 87], 560),
  net('net3', 10, 160, [22, 42, 60, 75, 79], [93, 93, 81, 66, 76], 112),
];
