import { loadDataset, toTensors } from '@espalier/datasets';
import * as tf from '@tensorflow/tfjs-core';
import { type Data, dataOf } from '../data.ts';

/** Of the 16,000 rows that are not for testing, these are kept from training: the last eighth. */
const VALIDATION = 1 / 8;
/** Training rows of the quick form. */
const FEW = 4000;

/** The 16,000 : 4,000 split, the first part split again into 14,000 and 2,000. */
export async function loadLetters(quick: boolean): Promise<Data> {
  const data = await loadDataset('letters', {
    split: '80:20',
    fallback: 'glyphs',
    ...(quick && { limit: FEW }),
  });
  const [whole, test] = [toTensors(data, 'train'), toTensors(data, 'test')];
  const held = Math.floor(data.train.rows * VALIDATION);
  const split = (tensor: tf.Tensor): tf.Tensor[] => tf.split(tensor, [data.train.rows - held, held]);
  const [[trainX, x], [trainY, y]] = [split(whole.x), split(whole.y)] as [tf.Tensor[], tf.Tensor[]];
  tf.dispose([whole.x, whole.y]);
  return dataOf(data, { train: { x: trainX!, y: trainY! }, validation: { x: x!, y: y! }, test });
}
