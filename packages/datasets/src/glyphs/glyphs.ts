import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { alphabet, digits } from '../classes.ts';
import type { Dataset, Part } from '../dataset.ts';
import { checkOneOf, checkWhole } from '../errors.ts';
import { randomFrom } from '../random.ts';
import { type SplitOptions, splitRows, standardize } from '../tabular.ts';
import { featureNames, glyphFeatures } from './features.ts';
import { parseStrokes, render, SIDE } from './render.ts';
import { strokes } from './strokes.ts';

/** What {@link glyphs} takes. */
export interface GlyphsOptions extends SplitOptions {
  /** Default 'digits'. */
  readonly of?: 'digits' | 'letters';
  /** Images of 28 x 28 x 1, or the 16 features of UCI Letter Recognition, z-scored. Default 'images'. */
  readonly as?: 'images' | 'features';
  /** How many, over all parts. Default 12,000. */
  readonly rows?: number;
}

/** One letter in so many has serifs. */
const PRINTED = 3;

const draw = (classes: readonly string[], rows: number, seed: number): Part => {
  const random = randomFrom(seed);
  const forms = classes.map((name) => strokes[name]!.map(parseStrokes));
  const x = new Float32Array(rows * SIDE * SIDE);
  const labels = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    labels[row] = uniformInt(random, 0, classes.length - 1);
    const ofClass = forms[labels[row]!]!;
    const form = ofClass[uniformInt(random, 0, ofClass.length - 1)]!;
    const printed = classes === alphabet && uniformInt(random, 1, PRINTED) === 1;
    render(form, printed, random, x.subarray(row * SIDE * SIDE, (row + 1) * SIDE * SIDE));
  }
  return { x, labels, rows };
};

const features = ({ x, labels, rows }: Part): Part => {
  const table = new Float32Array(rows * featureNames.length);
  for (let row = 0; row < rows; row++) {
    const image = x.subarray(row * SIDE * SIDE, (row + 1) * SIDE * SIDE);
    table.set(glyphFeatures(image, SIDE), row * featureNames.length);
  }
  return { x: table, labels, rows };
};

/**
 * Digits or capitals, drawn here and now by a small vector font with a shaky hand: no files, no network.
 * The seed decides the images and the split. Works in a browser, too (`@espalier/datasets/glyphs`).
 */
export const glyphs = (options: GlyphsOptions = {}): Dataset => {
  const { of = 'digits', as = 'images', rows = 12_000, seed = 1 } = options;
  checkOneOf('kind of glyphs', of, ['digits', 'letters']);
  checkOneOf('form of glyphs', as, ['images', 'features']);
  checkWhole('rows', rows, 1);
  const classes = of === 'digits' ? digits : alphabet;
  const images = draw(classes, rows, seed);
  const shared = {
    name: 'glyphs',
    task: 'classification',
    classes,
    note: `generated ${of}, seed ${seed}`,
  } as const;
  return as === 'images'
    ? { ...shared, inputShape: [SIDE, SIDE, 1], ...splitRows(images, options) }
    : { ...shared, inputShape: [featureNames.length], ...standardize(splitRows(features(images), options)) };
};
