import { clip } from './clip.ts';
import { division } from './division.ts';
import { installFusion } from './fusion.ts';
import { mean, sum } from './reductions.ts';
import { relu } from './relu.ts';
import { softmax } from './softmax.ts';

/**
 * Gives wasm one kernel for each gradient that tfjs-core composes of many small ones: on small networks each of
 * those costs more in bookkeeping than in arithmetic. Calling it again changes nothing.
 */
export function installFusions(): void {
  for (const fusion of [relu, softmax, clip, division, sum, mean]) installFusion(fusion);
}
