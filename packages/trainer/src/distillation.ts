import { lossFunctionsOf } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Examples } from './evaluate.ts';

/**
 * A training in which a network learns from what another makes of the examples, too: the unpruned one, above all (Hinton,
 * Vinyals & Dean, "Distilling the Knowledge in a Neural Network", 2015, section 2).
 */
export interface Distillation {
  /**
   * Tells the same classes apart, by a softmax. It is asked once, before the first epoch, so it may be the model that is
   * trained.
   */
  readonly teacher: LayersModel;
  /** T: the higher, the more it says of the classes that it finds unlikely. Default 2. */
  readonly temperature?: number;
  /** alpha: how much the teacher counts, 0 to 1; the targets count 1 - alpha. Default 0.5. */
  readonly weight?: number;
}

const usual = { temperature: 2, weight: 0.5 } as const;
/** Below all that float32 probabilities need for their logarithms. */
const TINY = 1e-30;
/** Beyond it, T^2 times the rounding of float32 outweighs the divergence. */
const HOTTEST = 1000;
/** The rows that a teacher is asked for at a time. */
const ROWS = 500;

/** @throws if a number makes no sense. */
export function checkDistillation(given: Omit<Distillation, 'teacher'>): void {
  const { temperature, weight } = { ...usual, ...given };
  if (!(temperature > 0 && temperature <= HOTTEST))
    throw new Error(
      `[trainer] distillation.temperature must be above 0 and at most ${HOTTEST}, got ${temperature}`,
    );
  if (!(weight >= 0 && weight <= 1))
    throw new Error(`[trainer] distillation.weight must be at least 0 and at most 1, got ${weight}`);
}

/**
 * log softmax(z / T) of logits z of which only softmax(z) is known: log softmax(z) is z but for a constant.
 *
 * @param probabilities [examples, classes]
 */
const softened = (probabilities: tf.Tensor, temperature: number): tf.Tensor =>
  tf.logSoftmax(tf.div(tf.log(tf.maximum(probabilities, TINY)), temperature));

/** Targets and what a teacher says, q, in one tensor of their shape: tfjs lets a loss see no other. */
const packed = (targets: tf.Tensor, said: tf.Tensor): tf.Tensor => tf.add(tf.mul(targets, 2), said);

/** The opposite of `packed`, since q is at most 1 and targets are 0 or 1. */
function unpacked(both: tf.Tensor): { readonly targets: tf.Tensor; readonly said: tf.Tensor } {
  const targets = tf.cast(tf.greater(both, 1.5), 'float32');
  return { targets, said: tf.sub(both, tf.mul(targets, 2)) };
}

type Loss = NonNullable<ReturnType<typeof lossFunctionsOf>>[number];

/**
 * alpha T^2 KL(q || p_T) + (1 - alpha) `loss`(targets, p) of each example, where p are the outputs, p_T those at
 * temperature T, and q what the teacher says at T. T^2 keeps the weight of both what it is whatever T (Hinton et al., 2015,
 * section 2).
 */
export const distilled =
  (loss: Loss, { temperature, weight }: Required<Omit<Distillation, 'teacher'>>): Loss =>
  (both, outputs) => {
    const { targets, said } = unpacked(both);
    const logs = tf.log(tf.maximum(said, TINY));
    const divergence = tf.sum(tf.mul(said, tf.sub(logs, softened(outputs, temperature))), -1);
    return tf.add(tf.mul(divergence, weight * temperature ** 2), tf.mul(loss(targets, outputs), 1 - weight));
  };

/** What a teacher says of the training examples. */
export class Teacher {
  readonly #distillation: Required<Distillation>;
  /** q: [examples, classes] */
  readonly #said: tf.Tensor;

  private constructor(distillation: Required<Distillation>, said: tf.Tensor) {
    this.#distillation = distillation;
    this.#said = said;
  }

  /**
   * Asks the teacher.
   *
   * @throws if it or the model that is to learn gives no probabilities of the classes, or a target is none of 0 and 1.
   */
  static async ask(given: Distillation, model: LayersModel, { x, y }: Examples): Promise<Teacher> {
    const distillation = { ...usual, ...given };
    const { teacher, temperature } = distillation;
    const some = Math.min(ROWS, x.shape[0]!);
    const [isOneHot, ...areRight] = tf.tidy(() => {
      const rest = tf.mul(y, tf.sub(1, y));
      const first = tf.slice(x, 0, some);
      return [
        tf.all(tf.equal(rest, 0)),
        areProbabilities(teacher, first, y),
        areProbabilities(model, first, y),
      ];
    });
    const [oneHot, teacherIs, modelIs] = await Promise.all(
      [isOneHot!, ...areRight].map(async (test) => (await test.data())[0] === 1),
    );
    tf.dispose([isOneHot!, ...areRight]);
    if (!oneHot) throw new Error('[trainer] distillation needs targets of 0 and 1, one-hot');
    for (const [who, isRight] of [['teacher', teacherIs] as const, ['model', modelIs] as const]) {
      if (isRight) continue;
      throw new Error(
        `[trainer] distillation needs a ${who} that ends in a softmax over the ${y.shape[1]} classes of the targets`,
      );
    }
    const said = tf.tidy(() => {
      const parts: tf.Tensor[] = [];
      for (let start = 0; start < x.shape[0]!; start += ROWS) {
        const rows = tf.slice(x, start, Math.min(ROWS, x.shape[0]! - start));
        parts.push(tf.exp(softened(teacher.predictOnBatch(rows) as tf.Tensor, temperature)));
      }
      return tf.concat(parts);
    });
    return new Teacher(distillation, said);
  }

  /** Lets a model learn from the teacher in `work`, which is lent the targets for it. It is compiled as before afterwards. */
  async teach<T>(model: LayersModel, examples: Examples, work: (lesson: Examples) => Promise<T>): Promise<T> {
    const losses = lossFunctionsOf(model)!;
    const [loss] = losses;
    const y = tf.tidy(() => packed(examples.y, this.#said));
    losses[0] = distilled(loss!, this.#distillation);
    try {
      return await work({ ...examples, y });
    } finally {
      losses[0] = loss!;
      y.dispose();
    }
  }

  dispose(): void {
    this.#said.dispose();
  }
}

function areProbabilities(model: LayersModel, x: tf.Tensor, { shape }: tf.Tensor): tf.Tensor {
  const output = model.predictOnBatch(x) as tf.Tensor;
  if (output.rank !== 2 || output.shape[1] !== shape[1]) return tf.scalar(false, 'bool');
  const isSum = tf.less(tf.abs(tf.sub(tf.sum(output, 1), 1)), 1e-3);
  return tf.logicalAnd(tf.all(isSum), tf.all(tf.greaterEqual(output, 0)));
}
