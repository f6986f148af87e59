import { version_cpu } from '@tensorflow/tfjs-backend-cpu';
import { version_wasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { keepDataAtHand } from './at-hand.ts';
import type { Engine } from './choose.ts';
import { registerTrainingKernels } from './kernels/index.ts';
import { fuseOptimizers } from './optimizers/index.ts';

/** wasm, ready to train. `locate` says where its binary is. */
export const wasmEngine = (locate: () => void): Engine<'wasm'> => ({
  name: 'wasm',
  prepare: async () => {
    if ((globalThis as { WebAssembly?: object }).WebAssembly === undefined) {
      throw new Error('there is no WebAssembly here; in Node, leave out --jitless');
    }
    locate();
    registerTrainingKernels();
    fuseOptimizers();
    return version_wasm;
  },
  settle: keepDataAtHand,
});

export const cpuEngine: Engine<'cpu'> = {
  name: 'cpu',
  prepare: async () => version_cpu,
  settle: silenceCpu,
  lastResort: true,
};

/** The cpu backend's first use prints an advert for the package that was looked for already. */
function silenceCpu(): void {
  const backend = tf.backend() as { firstUse?: boolean };
  if (backend.firstUse) backend.firstUse = false;
}
