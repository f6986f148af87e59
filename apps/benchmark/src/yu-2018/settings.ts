/** Networks, their training and how far they are pruned. The paper gives no such settings for small nets: these are ours. */

export type NetName = 'mnist' | 'letters';
export type LevelName = 'half' | 'fifth-left';

/** How much of each layer goes. */
export const levels: Readonly<Record<LevelName, { readonly title: string; readonly fraction: number }>> = {
  half: { title: 'half of each layer gone', fraction: 0.5 },
  'fifth-left': { title: 'four fifths of each layer gone', fraction: 0.8 },
};

/** The first is the paper's: from the last hidden layer back, where what is gone passes no importance on. */
export const methods = {
  nisp: 'NISP',
  'nisp-at-once': 'NISP, all layers at once',
  magnitude: 'Magnitude',
  random: 'Random',
  'from-scratch': 'From scratch',
} as const;
export type MethodName = keyof typeof methods;

/** How a network is trained: by Adam, at a rate that falls to 0 by half a cosine. */
export interface NetSettings {
  readonly title: string;
  /** The first rate, of whole networks, of pruned ones and of those from scratch. */
  readonly rate: number;
  readonly batchSize: number;
  /** Of the whole network, of pruned ones, and of those from scratch: as much as both. */
  readonly epochs: { readonly whole: number; readonly tuned: number };
  /** How often in an epoch validation accuracy is measured, while a smaller network trains. */
  readonly points: number;
}

/**
 * Weight decay: this times the sum of the squared kernels. The paper's LeNet is Caffe's, which has 5e-4 times half of it.
 * Without decay nothing keeps what feeds a unit in proportion to what reads it, and NISP looks at the latter alone.
 */
export const DECAY = 2.5e-4;

export const nets: Readonly<Record<NetName, NetSettings>> = {
  mnist: {
    title: 'LeNet 10-20-50 on MNIST',
    rate: 2e-3,
    batchSize: 64,
    epochs: { whole: 4, tuned: 2 },
    points: 5,
  },
  letters: {
    title: '120-90-60 on the letters',
    rate: 2e-3,
    batchSize: 32,
    epochs: { whole: 30, tuned: 10 },
    points: 2,
  },
};

/** In the quick form. */
export const QUICK = { whole: 1, tuned: 1 } as const;
