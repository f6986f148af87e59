/**
 * Labels: every unit of a model has one, and they flow through the model as arrays with the activation's
 * own shape. A label is a positive integer; `FIXED` marks positions that belong to no unit (the model's
 * inputs, what an unknown layer returns).
 */

/** The label of positions that no unit owns. */
export const FIXED = 0;

/**
 * The labels of one activation. `shape` is the activation's shape without the batch; `dims` has the
 * same rank, with 1 where the labels are constant along an axis; `data` is row-major over `dims`.
 */
export interface Labels {
  readonly shape: readonly number[];
  readonly dims: readonly number[];
  readonly data: Int32Array;
}

export const product = (numbers: readonly number[]): number => numbers.reduce((total, n) => total * n, 1);

/** The number of positions of an activation (unknown dimensions count as 1). */
export const positionsOf = (shape: readonly number[]): number => product(shape);

/** An activation of which no position belongs to a unit. */
export const fixed = (shape: readonly number[]): Labels => ({
  shape,
  dims: shape.map(() => 1),
  data: Int32Array.of(FIXED),
});

/** Labels that vary along one axis alone. */
export const spread = (labels: Int32Array, shape: readonly number[], axis: number): Labels => ({
  shape: shape.map((n, a) => (a === axis ? labels.length : n)),
  dims: shape.map((_, a) => (a === axis ? labels.length : 1)),
  data: labels,
});

/** The same labels, stored in full along the axes in `dims` that they were constant along. */
export function expand(labels: Labels, dims: readonly number[]): Labels {
  if (dims.every((n, a) => n === labels.dims[a])) return labels;
  const data = new Int32Array(product(dims));
  const strides = stridesOf(labels.dims).map((stride, a) => (labels.dims[a] === 1 ? 0 : stride));
  forEachIndex(dims, strides, (to, from) => {
    data[to] = labels.data[from]!;
  });
  return { shape: labels.shape, dims, data };
}

/** Without one axis, which the labels are constant along. */
export const withoutAxis = ({ shape, dims, data }: Labels, axis: number): Labels => ({
  shape: shape.filter((_, a) => a !== axis),
  dims: dims.filter((_, a) => a !== axis),
  data,
});

/** With one more axis of this length, which the labels are constant along. */
export const withAxis = ({ shape, dims, data }: Labels, axis: number, length: number): Labels => ({
  shape: [...shape.slice(0, axis), length, ...shape.slice(axis)],
  dims: [...dims.slice(0, axis), 1, ...dims.slice(axis)],
  data,
});

/** The axes along which the labels vary. */
export const varyingAxes = ({ dims }: Labels): number[] => dims.flatMap((n, axis) => (n > 1 ? [axis] : []));

/** How long each axis is once only some positions stay, which fill a box; `kept` are their indices in `data`. */
export function keptLengths({ shape, dims }: Labels, kept: readonly number[]): number[] {
  const strides = stridesOf(dims);
  return shape.map((length, a) => {
    if (dims[a] === 1) return length;
    return new Set(kept.map((position) => Math.floor(position / strides[a]!) % dims[a]!)).size;
  });
}

/** The axes moved: axis `a` of the result is axis `order[a]` of the input. */
export function transpose(labels: Labels, order: readonly number[]): Labels {
  const dims = order.map((a) => labels.dims[a]!);
  const strides = stridesOf(labels.dims);
  const data = new Int32Array(labels.data.length);
  forEachIndex(
    dims,
    order.map((a) => strides[a]!),
    (to, from) => {
      data[to] = labels.data[from]!;
    },
  );
  return { shape: order.map((a) => labels.shape[a]!), dims, data };
}

/** Joined along an axis, as the data is by a Concatenate layer. */
export function concatenate(parts: readonly Labels[], axis: number): Labels {
  const dims = parts[0]!.dims.map((_, a) => Math.max(...parts.map((part) => part.dims[a]!)));
  const full = parts.map((part) =>
    expand(
      part,
      dims.map((n, a) => (a === axis ? part.shape[a]! : n)),
    ),
  );
  const outer = product(dims.slice(0, axis));
  const lengths = full.map((part) => product(part.dims.slice(axis)));
  const data = new Int32Array(outer * lengths.reduce((total, n) => total + n, 0));
  let to = 0;
  for (let row = 0; row < outer; row++) {
    full.forEach((part, p) => {
      const length = lengths[p]!;
      data.set(part.data.subarray(row * length, (row + 1) * length), to);
      to += length;
    });
  }
  const along = parts.reduce((total, part) => total + part.shape[axis]!, 0);
  return {
    shape: parts[0]!.shape.map((n, a) => (a === axis ? along : n)),
    dims: dims.map((n, a) => (a === axis ? along : n)),
    data,
  };
}

/** Row-major strides of an array with these dimensions. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length).fill(1);
  for (let a = dims.length - 2; a >= 0; a--) strides[a] = strides[a + 1]! * dims[a + 1]!;
  return strides;
}

/** Visits every index of `dims` in row-major order with its offset by `strides`. */
export function forEachIndex(
  dims: readonly number[],
  strides: readonly number[],
  visit: (position: number, offset: number) => void,
): void {
  const total = product(dims);
  const index = new Array<number>(dims.length).fill(0);
  let offset = 0;
  for (let position = 0; position < total; position++) {
    visit(position, offset);
    for (let a = dims.length - 1; a >= 0; a--) {
      offset += strides[a]!;
      if (++index[a]! < dims[a]!) break;
      offset -= strides[a]! * dims[a]!;
      index[a] = 0;
    }
  }
}
