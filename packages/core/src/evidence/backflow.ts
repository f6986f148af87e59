import * as tf from '@tensorflow/tfjs-core';
import type { Analysis, AnalyzedGroup } from '../graph/analyze.ts';
import { type Ends, endsOf, isKernel, labelsOn, outermost, rootsOf, withParts } from '../graph/ends.ts';
import { FIXED } from '../graph/labels.ts';
import type { Trace, TracedCall, TracedLayer, TracedValue, TracedWeight } from '../graph/trace.ts';
import type { BackwardPruner } from '../pruner.ts';
import { numbersOf } from './answers.ts';

/**
 * The groups whose units outputs are made of: those that a criterion's `last` is asked about.
 */
export function lastGroups({ trace, groups }: Analysis): AnalyzedGroup[] {
  const read = new Set(
    [...endsOf(trace).kernels].flatMap((kernel) => rootsOf(trace, labelsOn(kernel, 'reads'))),
  );
  return groups.filter(({ roots }) => roots.some((root) => read.has(root)));
}

/** What units are worth, by the representative of their labels' class: all positions of a unit together. */
export type Worth = ReadonlyMap<number, number>;

/**
 * Lets importance flow from a model's outputs back, and sums up for each unit what it is worth to the kernels that
 * read it. Between two kernels labels lead it: a unit is worth before a pooling, a sum or a Concatenate what it is worth
 * behind it, and a channel what its features are worth together.
 *
 * @param last what the units are worth that outputs are made of, if the criterion says so itself.
 * @throws if the criterion throws, or answers with a wrong shape or a number that isn't finite.
 */
export async function flowBack(trace: Trace, criterion: BackwardPruner, last?: Worth): Promise<Worth> {
  const flow = new Backflow(trace, criterion, last);
  for (const call of outermost(trace).toReversed()) await flow.through(call);
  return flow.worth;
}

/** One call of a layer, from behind to before it. */
interface Passage {
  /** What units are worth where it has come to. */
  readonly here: Map<number, number>;
  /** What kernels have said. Units of which a kernel makes more are worth just that before it. */
  readonly passed: Map<number, number>;
  /** The units that kernels make. */
  readonly made: Set<number>;
}

class Backflow {
  readonly worth = new Map<number, number>();
  readonly #trace: Trace;
  readonly #criterion: BackwardPruner;
  readonly #last: Worth | undefined;
  readonly #ends: Ends;
  /** What each value's units are worth to the calls behind it that were met. */
  readonly #at = new Map<TracedValue, Map<number, number>>();

  constructor(trace: Trace, criterion: BackwardPruner, last: Worth | undefined) {
    this.#trace = trace;
    this.#criterion = criterion;
    this.#last = last;
    this.#ends = endsOf(trace);
    if (last) return;
    for (const value of this.#ends.values) {
      this.#at.set(value, new Map(rootsOf(trace, value.labels.data).map((root) => [root, 1])));
    }
  }

  async through({ layer, inputs, outputs }: TracedCall): Promise<void> {
    const passage: Passage = { here: new Map(), passed: new Map(), made: new Set() };
    const { here, passed, made } = passage;
    for (const output of outputs) {
      for (const [root, worth] of this.#at.get(output) ?? []) add(here, root, worth);
    }
    for (const one of withParts(this.#trace, layer).toReversed()) await this.#throughWeights(one, passage);
    for (const root of made) here.set(root, passed.get(root) ?? 0);
    const features = new Map<number, number>();
    for (const [root, worth] of here) for (const up of this.#parentsOf(root)) add(features, up, worth);
    for (const input of inputs) {
      const at = this.#at.get(input) ?? new Map<number, number>();
      this.#at.set(input, at);
      for (const root of rootsOf(this.#trace, input.labels.data)) {
        add(at, root, here.get(root) ?? features.get(root) ?? 0);
      }
    }
  }

  async #throughWeights({ weights, gain }: TracedLayer, passage: Passage): Promise<void> {
    if (gain) {
      const read = (name: string) => weights.find((weight) => weight.name === name)?.variable.read();
      await this.#throughOwn(gain.labels, () => tf.reshape(gain.of(read), [-1, 1]), passage);
    }
    for (const weight of weights.toReversed()) {
      const along = weight.axes.findIndex((axis) => axis?.role === 'along');
      if (isKernel(weight)) await this.#throughKernel(weight, passage);
      // what counts as multiply-adds multiplies
      else if (along >= 0 && weight.uses > 0)
        await this.#throughOwn(weight.axes[along]!.labels, () => rowsFrom(weight, along), passage);
    }
  }

  async #throughKernel(kernel: TracedWeight, { here, passed, made }: Passage): Promise<void> {
    const at = (role: 'reads' | 'makes') => kernel.axes.findIndex((axis) => axis?.role === role);
    const [read, fed] = [labelsOn(kernel, 'reads'), labelsOn(kernel, 'makes')].map((labels) =>
      this.#classesOf(labels),
    ) as [number[], number[]];
    const counts = countsOf(fed);
    const importance = fed.map((root) => (here.get(root) ?? 0) / counts.get(root)!);
    const rows = () => rowsFrom(kernel, at('reads'), at('makes'));
    const numbers = await this.#pass(read.length, rows, importance);
    const isLast = this.#ends.kernels.has(kernel);
    const worths = new Map(read.map((root) => [root, (isLast && this.#last?.get(root)) || 0]));
    for (const [i, root] of read.entries()) add(worths, root, numbers[i]!);
    worths.delete(FIXED);
    for (const [root, worth] of worths) {
      for (const sums of [here, passed]) add(sums, root, worth);
      for (const one of [root, ...this.#parentsOf(root)]) add(this.worth, one, worth);
    }
    for (const root of fed) made.add(root);
  }

  /** Each unit through a row of its own, which its importance behind is multiplied by. */
  async #throughOwn(labels: Int32Array, rows: () => tf.Tensor2D, { here, passed }: Passage): Promise<void> {
    const roots = this.#classesOf(labels);
    const counts = countsOf(roots);
    const factors = new Map<number, number>();
    const numbers = await this.#pass(roots.length, rows);
    for (const [i, root] of roots.entries()) add(factors, root, numbers[i]! / counts.get(root)!);
    for (const [root, factor] of factors) {
      for (const sums of [here, passed]) if (sums.has(root)) sums.set(root, factor * sums.get(root)!);
    }
  }

  /** What rows of weights pass of what their columns feed is worth: one value for each on the last axis, by default 1. */
  async #pass(
    units: number,
    rows: () => tf.Tensor2D,
    importance: readonly number[] = [1],
  ): Promise<number[]> {
    const criterion = this.#criterion;
    // products over many layers outgrow float32; a power of two costs no digits
    const most = importance.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const scale = most > 0 ? 2 ** Math.floor(Math.log2(most)) : 1;
    const numbers = await numbersOf(criterion, 'pass', [units], () => {
      const outgoing = rows();
      const each = tf.tensor1d(importance.map((one) => one / scale));
      return criterion.pass(outgoing, tf.tile(each, [outgoing.shape[1] / importance.length]));
    });
    return Array.from(numbers, (number) => number * scale);
  }

  #classesOf(labels: Int32Array): number[] {
    return Array.from(labels, (label) => (label === FIXED ? FIXED : this.#trace.classes.find(label)));
  }

  #parentsOf(root: number): number[] {
    const { classes } = this.#trace;
    const parents: number[] = [];
    for (let up = classes.parentOf(root); up !== FIXED; up = classes.parentOf(up)) parents.push(up);
    return parents;
  }
}

/** A weight as rows, one for each entry of an axis; what is on the axis `last` varies fastest. */
function rowsFrom({ variable, shape }: TracedWeight, axis: number, last = -1): tf.Tensor2D {
  const others = [...shape.keys()].filter((one) => one !== axis && one !== last);
  const order = [axis, ...others, ...(last < 0 ? [] : [last])];
  return tf.reshape<tf.Rank.R2>(tf.transpose(variable.read(), order), [shape[axis]!, -1]);
}

function add(sums: Map<number, number>, key: number, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}

function countsOf(roots: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const root of roots) add(counts, root, 1);
  return counts;
}
