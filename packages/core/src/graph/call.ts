import type { LabelClasses } from './classes.ts';
import { expand, FIXED, type Labels, product, varyingAxes } from './labels.ts';

/** What the operations on labels that a rule is given act on. */
export interface Caller {
  readonly classes: LabelClasses;
  /** Of the layer that is called. */
  readonly path: string;
}

/** See `LayerCall.unify`. */
export function unify({ classes, path }: Caller, a: Int32Array, b: Int32Array): void {
  const reason = `${path} ties it to values that can't go`;
  for (let i = 0; i < a.length; i++) classes.unify(a[i]!, b[i]!, reason);
}

/** See `LayerCall.tie`. */
export function tie(caller: Caller, labels: Labels, axis: number): Labels {
  const { shape, dims, data } = labels;
  const length = dims[axis]!;
  if (length === 1) return labels;
  const inner = product(dims.slice(axis + 1));
  const first = new Int32Array(data.length / length);
  for (let outer = 0; outer < first.length / inner; outer++) {
    const row = (at: number) =>
      data.subarray((outer * length + at) * inner, (outer * length + at + 1) * inner);
    first.set(row(0), outer * inner);
    for (let at = 1; at < length; at++) unify(caller, row(0), row(at));
  }
  return { shape, dims: dims.map((n, a) => (a === axis ? 1 : n)), data: first };
}

/** See `LayerCall.along`. */
export function along(caller: Caller, labels: Labels, axis: number): Int32Array {
  const at = axis < 0 ? labels.shape.length + axis : axis;
  const length = labels.shape[at]!;
  const others = varyingAxes(labels).filter((a) => a !== at);
  const { dims, data } = others.reduce((tied, a) => tie(caller, tied, a), labels);
  return dims[at] === length ? data : new Int32Array(length).fill(data[0]!);
}

/** See `LayerCall.keepBox`; once all ties are known. */
export function tieToBox(caller: Caller, labels: Labels, axis: number): void {
  const roots = labels.data.map((label) => (label === FIXED ? FIXED : caller.classes.find(label)));
  const varying = varyingAxes(labels).filter((a) => {
    const inner = product(labels.dims.slice(a + 1));
    const length = labels.dims[a]!;
    return roots.some((root, i) => {
      const start = i - (Math.floor(i / inner) % length) * inner;
      return root !== roots[start];
    });
  });
  if (varying.length > 1) along(caller, labels, axis);
}

/**
 * One label of its own for each position of a call's output, with the position's present label as parent.
 * `made`: what the layer's first call was given.
 */
export function makeFeatures(
  caller: Caller,
  owner: number,
  channels: Labels,
  made: Int32Array | undefined,
): Labels {
  const { classes } = caller;
  if (made) {
    const earlier = made.map((label) => classes.parentOf(label) || label);
    unify(caller, earlier, channels.data);
    return { ...channels, data: made };
  }
  const positions = new Map<number, number>();
  for (const label of channels.data) positions.set(label, (positions.get(label) ?? 0) + 1);
  // a channel with one position is its own feature
  const several = [...positions].some(([label, count]) => label !== FIXED && count > 1);
  const data = Int32Array.from(channels.data);
  if (several) {
    const owned = channels.data.filter((label) => label !== FIXED);
    const features = classes.make(owned.length, owner, owned);
    let next = 0;
    for (let i = 0; i < data.length; i++) if (data[i] !== FIXED) data[i] = features[next++]!;
  }
  return { ...channels, data };
}

/** Two calls of one layer must be cut alike. */
export function unifyCalls(caller: Caller, earlier: readonly Labels[], now: readonly Labels[]): void {
  now.forEach((labels, i) => {
    // those that the layer makes are the same at each call, whatever the shapes
    if (labels.data === earlier[i]!.data) return;
    unify(caller, expand(earlier[i]!, labels.shape).data, expand(labels, labels.shape).data);
  });
}
