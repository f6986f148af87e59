import { kinds, type Noise, type NoiseKind } from './kinds.ts';

/** The names of the kinds. */
export const noiseKinds: readonly NoiseKind[] = Object.keys(kinds) as NoiseKind[];

/** What the levels of a kind count, in a few words. */
export const unitOf = (kind: NoiseKind): string => kinds[kind].unit;

/** Levels by kind: `{ gaussian: [0.1, 0.2], shift: [2] }`. */
export type Levels = { readonly [Kind in NoiseKind]?: readonly number[] };

/** Each of them as a noise. */
export const noisesOf = (levels: Levels): Noise[] =>
  Object.entries(levels).flatMap(([kind, values]) =>
    values.map((level) => ({ kind: kind as NoiseKind, level })),
  );
