import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { Layer } from '../graph/rule.ts';

/** One layer or a few, made by the maker of that name: what the numbers mean is its own affair. */
export interface Step {
  readonly operation: string;
  /** Which tensor it takes, counted back from the newest. */
  readonly from: number;
  /** Which other one, if it takes two. */
  readonly other: number;
  readonly size: number;
  readonly option: number;
  /** Of a nested model. */
  readonly body?: readonly Step[];
}

/** Adds to a model what a step says, or nothing if that does not fit the tensor. */
export type Maker = (builder: Builder, from: SymbolicTensor, shape: readonly number[], step: Step) => void;

interface Applied {
  readonly layer: Layer;
  readonly inputShape: string;
}

export const shapeOf = (tensor: SymbolicTensor): number[] => tensor.shape.slice(1) as number[];
export const hasUnknown = (shape: readonly (number | null)[]): boolean => shape.includes(null);

/** What a sequence of unknown length can go through. */
const anyLength = ['dense', 'batchNorm', 'pointwise', 'dropout', 'globalPool'];

/** A model in the making: tensors, newest last. */
export class Builder {
  readonly #makers: Readonly<Record<string, Maker>>;
  readonly #tensors: SymbolicTensor[];
  readonly #used = new Set<SymbolicTensor>();
  readonly #applied: Applied[] = [];
  readonly #prefix: string;
  #count = 0;

  constructor(makers: Readonly<Record<string, Maker>>, tensors: readonly SymbolicTensor[], prefix = '') {
    this.#makers = makers;
    this.#tensors = [...tensors];
    this.#prefix = prefix;
  }

  /** The tensors that nobody took. */
  get unused(): SymbolicTensor[] {
    return this.#tensors.filter((tensor) => !this.#used.has(tensor));
  }

  /** The same makers on other tensors. */
  inner(tensors: readonly SymbolicTensor[], prefix: string): Builder {
    return new Builder(this.#makers, tensors, prefix);
  }

  step(step: Step): void {
    const from = this.#at(step.from);
    const shape = shapeOf(from);
    // keeps the models small
    if (shape.at(-1)! > 24) return;
    if (hasUnknown(shape) && !anyLength.includes(step.operation)) return;
    this.#makers[step.operation]!(this, from, shape, step);
  }

  name(kind: string): string {
    return `${this.#prefix}${kind}${this.#count++}`;
  }

  apply(layer: Layer, ...from: readonly SymbolicTensor[]): SymbolicTensor {
    return this.applySome(layer, from)[0]!;
  }

  /** A layer with several outputs, of which others may take those that `takes` says. */
  applySome(
    layer: Layer,
    from: readonly SymbolicTensor[],
    takes: (output: number, outputs: number) => boolean = () => true,
  ): SymbolicTensor[] {
    const [first] = from;
    const answer = layer.apply(from.length === 1 ? first! : [...from]) as SymbolicTensor | SymbolicTensor[];
    const outputs = [answer].flat();
    for (const tensor of from) this.#used.add(tensor);
    if (from.length === 1 && outputs.length === 1) {
      this.#applied.push({ layer, inputShape: String(shapeOf(first!)) });
    }
    this.#tensors.push(...outputs.filter((_, output) => takes(output, outputs.length)));
    return outputs;
  }

  /** Another tensor that fits, or none. */
  other(back: number, fits: (tensor: SymbolicTensor) => boolean): SymbolicTensor | undefined {
    const fitting = this.#tensors.filter(fits);
    return fitting[fitting.length - 1 - (back % fitting.length)];
  }

  /** A layer that was called on such a tensor before. */
  applied(back: number, shape: readonly number[]): Layer | undefined {
    const fitting = this.#applied.filter(({ inputShape }) => inputShape === String(shape));
    return fitting[fitting.length - 1 - (back % fitting.length)]?.layer;
  }

  #at(back: number): SymbolicTensor {
    return this.#tensors[this.#tensors.length - 1 - (back % this.#tensors.length)]!;
  }
}
