import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { useEngine } from '../index.ts';
import { compiled } from './compiled.ts';
import { loopsOf } from './loops.ts';

it('is what assembly/ compiles to; else: npm run assembly --workspace packages/engine', {
  tags: ['slow'],
}, async () => {
  const builder = new URL('../../assembly/build.mjs', import.meta.url).href;
  const { compile } = (await import(builder)) as { compile(): Promise<string> };
  expect(compiled).toBe(await compile());
});

it('is there on wasm', async () => {
  await useEngine('wasm');
  expect(loopsOf(tf.backend() as never)).toBeDefined();
});
