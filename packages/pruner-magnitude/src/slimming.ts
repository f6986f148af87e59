import type { ScorePruner } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import { checkWeights } from './check.ts';

/**
 * Network slimming: lets those units go first that BatchNormalization scales the least.
 *
 *     s_j = |gamma_j|
 *
 * with gamma_j the factor that the layer behind unit j multiplies it by, once its mean and variance are taken away. Where a
 * unit passes several (a channel that several layers of a DenseNet read, or channels that an Add ties), their mean counts.
 * Normalised units compare between layers, so one ranking for all (`ranking: 'global'`) is what the paper does.
 *
 * The paper trains with `lambda sum |gamma|` added to the loss, so that many scales come near 0: give the layers
 * `gammaRegularizer: regularizers.l1({ l1: 1e-4 })`.
 *
 * Paper: Z. Liu, J. Li, Z. Shen, G. Huang, S. Yan, C. Zhang, "Learning efficient convolutional networks through network
 * slimming", ICCV 2017, section 3.
 *
 * @throws when it judges, if no BatchNormalization scales the units of a group.
 */
export const slimming = (): ScorePruner => ({
  name: 'slimming',
  comparable: true,
  score({ scales, group }) {
    checkWeights(scales, group, 'scales of a BatchNormalization');
    return tf.mean(tf.abs(scales), 0);
  },
});
