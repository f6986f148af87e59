import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { floats } from '../kernels/kernel.ts';
import { type Loops, loopsOf } from '../loops/loops.ts';

/** How tf.train's optimizers hold one slot (momentum, mean square, ...) of one variable. */
export interface Slot {
  readonly originalName: string;
  readonly variable: tf.Variable;
}

/** One slot per variable: the optimizer's field that holds them, the end of their names, what they start from. */
export interface SlotRule {
  readonly field: string;
  readonly suffix: string;
  readonly start?: number;
}

/** Updates one variable in one pass, all on the backend's heap: writes `out` and the slots, in the order of the rule. */
export type Update = (
  out: Float32Array,
  value: Float32Array,
  gradient: Float32Array,
  slots: readonly Float32Array[],
) => void;

/** The scalars that an optimizer keeps as tensors. */
export interface Scalars {
  get(scalar: tf.Tensor): number;
  set(scalar: tf.Tensor, value: number): void;
}

/** What has to be known about one of tf.train's optimizers. `Fields` are those of its fields that are used. */
export interface Rule {
  readonly optimizer: { readonly prototype: tf.Optimizer };
  /** The fields that are used, beside the slots; they are private, so that they are looked at before. */
  readonly fields: Readonly<Record<string, 'number' | 'boolean' | 'tensor'>>;
  slots(fields: object): readonly SlotRule[];
  /** Called once in a step, before the variables. */
  begin(fields: object, scalars: Scalars, loops: Loops | undefined): Update;
  /** Called after them. */
  end?(fields: object, scalars: Scalars): void;
}

/** Names an optimizer's fields once, so that its rule needs no casts. */
export const rule = <Fields extends object>(
  typed: Omit<Rule, 'slots' | 'begin' | 'end'> & {
    slots(fields: Fields): readonly SlotRule[];
    begin(fields: Fields, scalars: Scalars, loops: Loops | undefined): Update;
    end?(fields: Fields, scalars: Scalars): void;
  },
): Rule => typed as Rule;

/** The gradient of one variable; there may be none. */
interface Named {
  readonly name: string;
  readonly tensor?: tf.Tensor | null;
}

type Apply = tf.Optimizer['applyGradients'];
type Fields = Record<string, unknown>;

/** The `applyGradients` that takes one pass per variable on wasm, and is the original one elsewhere. */
export function fused(one: Rule, original: Apply): Apply {
  let warned = false;
  return function (this: tf.Optimizer, gradients) {
    const backend = currentWasm();
    const named: readonly Named[] = Array.isArray(gradients)
      ? gradients
      : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }));
    if (!backend || !named.every(isPlain)) return original.call(this, gradients);
    const fields = this as unknown as Fields;
    const strange = strangeField(fields, one);
    if (strange) {
      if (!warned)
        console.warn(
          `[engine] ${this.getClassName()} without its field ${strange} is run as shipped, slower`,
        );
      warned = true;
      return original.call(this, gradients);
    }
    step(backend, one, fields, named);
    (this as unknown as { incrementIterations(): void }).incrementIterations();
  };
}

function currentWasm(): BackendWasm | undefined {
  return tf.engine().backendName === 'wasm' ? (tf.backend() as unknown as BackendWasm) : undefined;
}

const variableOf = (name: string): tf.Variable | undefined => tf.engine().registeredVariables[name];

/** Whether there is nothing but floats to be added to floats. A variable may have no gradient. */
function isPlain({ name, tensor }: Named): boolean {
  const variable = variableOf(name);
  if (variable?.dtype !== 'float32') return false;
  return !tensor || (tensor.dtype === 'float32' && tensor.size === variable.size);
}

function strangeField(fields: Fields, { fields: wanted, slots }: Rule): string | undefined {
  const is = (value: unknown, kind: string): boolean =>
    kind === 'tensor' ? value instanceof tf.Tensor : typeof value === kind;
  return (
    Object.keys(wanted).find((name) => !is(fields[name], wanted[name]!)) ??
    slots(fields).find(({ field }) => !Array.isArray(fields[field]))?.field
  );
}

function step(backend: BackendWasm, one: Rule, fields: Fields, named: readonly Named[]): void {
  const scalars: Scalars = {
    get: (scalar) => floats(backend, scalar)[0]!,
    set: (scalar, value) => {
      keepToItself(backend, scalar as tf.Variable);
      floats(backend, scalar)[0] = value;
    },
  };
  const rules = one.slots(fields);
  const update = one.begin(fields, scalars, loopsOf(backend));
  named.forEach(({ name, tensor }, i) => {
    const variable = variableOf(name)!;
    const slots = rules.map((slot) => slotOf(fields, slot, variable, i));
    if (!tensor) return;
    for (const slot of slots) keepToItself(backend, slot);
    // A new tensor for the weights: XNNPACK has packed the old ones, and wouldn't see what is written there.
    const info = backend.makeOutput(variable.shape, 'float32');
    // First all of them: what lies on another backend is moved here, and the heap may move when it grows.
    for (const { dataId } of [variable, tensor, ...slots]) backend.dataIdMap.get(dataId);
    update(
      floats(backend, info),
      floats(backend, variable),
      floats(backend, tensor),
      slots.map((slot) => floats(backend, slot)),
    );
    const next = tf.engine().makeTensorFromTensorInfo(info);
    variable.assign(next);
    next.dispose();
  });
  one.end?.(fields, scalars);
}

function slotOf(
  fields: Fields,
  { field, suffix, start = 0 }: SlotRule,
  of: tf.Variable,
  i: number,
): tf.Variable {
  const all = fields[field] as (Slot | undefined)[];
  let slot = all[i];
  if (!slot) {
    const variable = tf.tidy(() => tf.variable(tf.fill(of.shape, start), false));
    slot = { originalName: `${of.name}/${suffix}`, variable };
    all[i] = slot;
  }
  return slot.variable;
}

/** Makes sure that no clone sees what is written to a variable. */
function keepToItself(backend: BackendWasm, variable: tf.Variable): void {
  backend.dataIdMap.get(variable.dataId);
  if (backend.refCount(variable.dataId) === 1) return;
  const info = backend.makeOutput(variable.shape, 'float32');
  floats(backend, info).set(floats(backend, variable));
  const copy = tf.engine().makeTensorFromTensorInfo(info);
  variable.assign(copy);
  copy.dispose();
}
