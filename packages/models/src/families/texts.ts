import * as tf from '@tensorflow/tfjs-layers';
import { checkWhole } from '../check.ts';
import { type FamilyArgs, modelOf, Net } from './net.ts';

/** What the families for texts take. */
export interface TextFamilyArgs extends FamilyArgs {
  /** How many words a text has. Default 64. */
  readonly length?: number;
  /** How many different words there are; a text is their numbers. Default 20,000. */
  readonly vocabulary?: number;
}

function begin({ length = 64, vocabulary = 20_000, classes = 2, ...args }: TextFamilyArgs, units: number) {
  checkWhole('length', length, 1);
  checkWhole('vocabulary', vocabulary, 1);
  const net = new Net({ ...args, classes });
  const words = tf.input({ shape: [length], name: 'words' });
  return { net, words, vectors: net.embedding(words, vocabulary, units) };
}

/**
 * Convolutions over 3, 4 and 5 words side by side, the largest of each, and one hidden layer. Logits; without dropout.
 * Texts of 5 words and more.
 *
 * Y. Kim, "Convolutional neural networks for sentence classification", EMNLP 2014, fig. 1; the hidden layer is ours.
 */
export function textCnn(args: TextFamilyArgs = {}): tf.LayersModel {
  const { net, words, vectors } = begin(args, 300);
  const found = [3, 4, 5].map((size) => net.widestMatch(vectors, `conv_${size}`, 100, size));
  const hidden = net.dense(net.concat('concat', ...found), 'hidden', 100);
  return modelOf(words, net.logits(hidden), 'text_cnn');
}

/** Two LSTMs, the second on all steps of the first, and one hidden layer. Logits. */
export function stackedLstm(args: TextFamilyArgs = {}): tf.LayersModel {
  const { net, words, vectors } = begin(args, 128);
  const steps = net.apply(net.lstm(128, true, 'lstm_1'), vectors);
  const last = net.apply(net.lstm(128, false, 'lstm_2'), steps);
  return modelOf(words, net.logits(net.dense(last, 'hidden', 64)), 'stacked_lstm');
}

/** Two Bidirectional LSTMs, the second on all steps of the first, and one hidden layer. Logits. */
export function bidirectionalLstm(args: TextFamilyArgs = {}): tf.LayersModel {
  const { net, words, vectors } = begin(args, 128);
  const both = (name: string, returnSequences: boolean) =>
    tf.layers.bidirectional({
      layer: net.lstm(128, returnSequences, `${name}_lstm`),
      mergeMode: 'concat',
      name,
    } as Parameters<typeof tf.layers.bidirectional>[0]);
  const steps = net.apply(both('both_1', true), vectors);
  const last = net.apply(both('both_2', false), steps);
  return modelOf(words, net.logits(net.dense(last, 'hidden', 64)), 'bidirectional_lstm');
}
