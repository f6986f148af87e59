import { alphabet } from './classes.ts';
import type { Dataset, Part } from './dataset.ts';
import { fail } from './errors.ts';
import { type DataFile, obtain, type SourceOptions } from './source.ts';
import { type SplitOptions, splitRows, standardize } from './tabular.ts';

/** What {@link letters} takes. */
export interface LettersOptions extends SourceOptions, SplitOptions {}

export const lettersFiles: readonly [DataFile] = [
  {
    path: 'letter-recognition/letter-recognition.data',
    urls: [
      'https://archive.ics.uci.edu/ml/machine-learning-databases/letter-recognition/letter-recognition.data',
    ],
    sha256: '2b89f3602cf768d3c8355267d2f13f2417809e101fc2b5ceee10db19a60de6e2',
    bytes: 712_565,
  },
];

const FEATURES = 16;

/** Reads lines of a letter and 16 whole numbers, as UCI publishes them. */
export const parseLetters = (text: string, file: string): Part => {
  const labels: number[] = [];
  const x: number[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line === '') continue;
    const place = `${file}:${i + 1}`;
    const [letter, ...features] = line.split(',');
    if (features.length !== FEATURES) {
      fail(
        `${place} has ${features.length + 1} columns, expected ${FEATURES + 1}: a letter and ${FEATURES} numbers`,
      );
    }
    const label = alphabet.indexOf(letter!);
    if (label < 0) fail(`${place} starts with '${letter}', expected a letter from A to Z`);
    const stranger = features.findIndex((feature) => !/^-?\d{1,9}$/.test(feature));
    if (stranger >= 0)
      fail(`${place} has '${features[stranger]}' in column ${stranger + 2}, expected a whole number`);
    labels.push(label);
    for (const feature of features) x.push(Number(feature));
  }
  if (labels.length === 0) fail(`${file} holds no rows`);
  return { x: Float32Array.from(x), labels: Int32Array.from(labels), rows: labels.length };
};

/**
 * UCI Letter Recognition: 20,000 printed capitals, each as 16 features (Frey & Slate 1991), shuffled, split
 * and z-scored on the training part. A is class 0.
 */
export const letters = async (options: LettersOptions = {}): Promise<Dataset> => {
  const [file] = lettersFiles;
  const { contents, origin } = await obtain('letters', file, options);
  const table = parseLetters(new TextDecoder().decode(contents), file.path);
  return {
    name: 'letters',
    task: 'classification',
    classes: alphabet,
    inputShape: [FEATURES],
    ...standardize(splitRows(table, options)),
    note: `from ${origin}`,
  };
};
