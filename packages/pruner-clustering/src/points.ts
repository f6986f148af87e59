/** Points in a space of `size` dimensions, row-major [count, size]. */
export interface Points {
  readonly values: Float64Array;
  readonly count: number;
  readonly size: number;
}

/** The squared distance of two points, by their numbers. */
export function distance(a: Points, i: number, b: Points, j: number): number {
  const [from, to] = [i * a.size, j * b.size];
  let sum = 0;
  for (let d = 0; d < a.size; d++) {
    const difference = a.values[from + d]! - b.values[to + d]!;
    sum += difference * difference;
  }
  return sum;
}

/** Some of the points, in the given order. */
export function pick({ values, size }: Points, numbers: readonly number[]): Points {
  const picked = new Float64Array(numbers.length * size);
  numbers.forEach((number, i) => {
    picked.set(values.subarray(number * size, (number + 1) * size), i * size);
  });
  return { values: picked, count: numbers.length, size };
}

/** The means of the points of each cluster; where a cluster has none, the point that `otherwise` has there. */
export function meansOf(points: Points, clusterOf: Int32Array, otherwise: Points): Points {
  const { size, count } = points;
  const sums = new Float64Array(otherwise.values.length);
  const members = new Int32Array(otherwise.count);
  for (let i = 0; i < count; i++) {
    const cluster = clusterOf[i]!;
    members[cluster]!++;
    for (let d = 0; d < size; d++) sums[cluster * size + d]! += points.values[i * size + d]!;
  }
  const values = sums.map((sum, at) => {
    const own = members[Math.floor(at / size)]!;
    return own > 0 ? sum / own : otherwise.values[at]!;
  });
  return { values, count: otherwise.count, size };
}
