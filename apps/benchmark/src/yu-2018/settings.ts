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

/** How a network is trained: by Adam, at one rate throughout. */
export interface NetSettings {
  readonly title: string;
  readonly rate: number;
  readonly batchSize: number;
  /** Of the whole network, of pruned ones, and of those from scratch: as much as both. */
  readonly epochs: { readonly whole: number; readonly tuned: number };
  /** How often in an epoch validation accuracy is measured, while a smaller network trains. */
  readonly points: number;
}

export const nets: Readonly<Record<NetName, NetSettings>> = {
  mnist: {
    title: 'LeNet 10-20-50 on MNIST',
    rate: 1e-3,
    batchSize: 64,
    epochs: { whole: 3, tuned: 1 },
    points: 10,
  },
  letters: {
    title: '60-45-30 on the letters',
    rate: 1e-3,
    batchSize: 32,
    epochs: { whole: 30, tuned: 10 },
    points: 1,
  },
};

/** In the quick form. */
export const QUICK = { whole: 1, tuned: 1 } as const;
