import seedrandom from 'seedrandom';
import { kinds, type Noise } from './kinds.ts';
import { type InputRange, widthOf } from './range.ts';

/** What {@link addNoise} takes. */
export interface NoiseArgs {
  /** The shape of one row. Of images [height, width, channels]. */
  readonly inputShape: readonly number[];
  /** The range of the clean data: `rangeOf(train)`. */
  readonly range: InputRange;
  /** Each row has one of them, by chance. */
  readonly noises: readonly Noise[];
  /** The same seed gives the same noise, and the same at each level, only stronger. */
  readonly seed: number | string;
}

/**
 * The rows with noise, each with its own; the given ones stay as they are. All values are within the range.
 *
 * ```ts
 * const range = rangeOf(train.x, [28, 28, 1]);
 * const noisy = addNoise(test.x, { inputShape: [28, 28, 1], range, noises: [{ kind: 'gaussian', level: 0.2 }], seed: 1 });
 * ```
 *
 * @param x the rows, one after the other.
 * @throws as `checkNoise` does, or if there is no noise to choose from, or the rows or the range are of another shape.
 */
export function addNoise(x: Float32Array, { inputShape, range, noises, seed }: NoiseArgs): Float32Array {
  if (noises.length === 0) throw new Error('[noise] give one noise or more, like gaussian of level 0.1');
  for (const noise of noises) checkNoise(noise, inputShape);
  const width = widthOf(x, inputShape);
  checkRange(range, inputShape);
  const random = seedrandom.alea(String(seed));
  const noisy = x.slice();
  for (let start = 0; start < noisy.length; start += width) {
    const { kind, level } = noises.length === 1 ? noises[0]! : noises[Math.floor(random() * noises.length)]!;
    if (level > 0)
      kinds[kind].change(noisy.subarray(start, start + width), { level, inputShape, range, random });
  }
  return noisy;
}

/** @throws if it is not the range of such rows. */
function checkRange({ low, high }: InputRange, inputShape: readonly number[]): void {
  const features = inputShape.at(-1) ?? 1;
  if (low.length === features && high.length === features) return;
  throw new Error(
    `[noise] rows of shape [${inputShape}] need a range of ${features} least and greatest values, got ${low.length} and ` +
      `${high.length}: use rangeOf(x, [${inputShape}])`,
  );
}

/**
 * Checks a noise, and whether it can happen to rows of a shape if one is given.
 *
 * @throws naming the kinds, or the levels of the kind.
 */
export function checkNoise({ kind, level }: Noise, inputShape?: readonly number[]): void {
  if (!Object.hasOwn(kinds, kind)) {
    throw new Error(`[noise] unknown kind of noise '${kind}'. Use one of: ${Object.keys(kinds).join(', ')}`);
  }
  const known = kinds[kind];
  const fail = (got: string): never => {
    throw new Error(`[noise] a level of ${kind} is ${known.levels}; got ${got}`);
  };
  if (!known.isLevel(level)) fail(String(level));
  if (!known.imagesOnly || inputShape === undefined) return;
  const [height, width] = inputShape;
  if (inputShape.length !== 3) {
    const others = Object.entries(kinds).flatMap(([name, { imagesOnly }]) => (imagesOnly ? [] : [name]));
    throw new Error(
      `[noise] ${kind} is for images, rows of shape [height, width, channels], and these are [${inputShape}]: ` +
        `use ${others.join(' or ')}`,
    );
  }
  if (level > Math.min(height!, width!)) fail(`${level} for images of ${height} x ${width}`);
}
