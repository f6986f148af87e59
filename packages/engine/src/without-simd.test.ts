import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { useEngine } from './index.ts';
import { loopsOf } from './loops/loops.ts';

// Before the backend starts: from then on it is the plain one, and the kernels go the way without loops.
tf.env().set('WASM_HAS_SIMD_SUPPORT', false);

it('has no loops without SIMD', async () => {
  await useEngine('wasm');
  expect(loopsOf(tf.backend() as never)).toBeUndefined();
});

await import('./kernels/kernels.test.ts');
await import('./layers.test.ts');
