import { kMeans } from './k-means.ts';
import { distance, meansOf, type Points, pick } from './points.ts';

/** A unit that goes. */
interface Gone {
  readonly unit: number;
  readonly score: number;
}

/**
 * All units: first the `leaving` ones for which others stay, if it is known that some will go; then half of what is left, and
 * so on.
 *
 * @param numbers row-major [units, 1 + fanIn]: draws from 0 to below 1, then the weights that feed each unit.
 */
export function eliminate(numbers: Float32Array, units: number, leaving: number = 0): Gone[] {
  const size = numbers.length / units - 1;
  const draws = Float64Array.from({ length: units }, (_, unit) => numbers[unit * (size + 1)]!);
  const points: Points = {
    values: Float64Array.from({ length: units * size }, (_, at) => {
      return numbers[at + Math.floor(at / size) + 1]!;
    }),
    count: units,
    size,
  };
  const spread = spreadOf(points);
  const order: Gone[] = [];
  let left = Array.from({ length: units }, (_, unit) => unit);
  let staying = leaving > 0 ? Math.max(1, units - leaving) : Math.ceil(units / 2);
  while (left.length > 1) {
    const { stay, go } = thinned(pick(points, left), staying, draws);
    for (const { point, squared } of go) {
      const score = Math.max(order.at(-1)?.score ?? 0, spread > 0 ? squared / spread : 0);
      order.push({ unit: left[point]!, score });
    }
    left = stay.map((point) => left[point]!);
    staying = Math.ceil(left.length / 2);
  }
  return [...order, { unit: left[0]!, score: order.at(-1)?.score ?? 0 }];
}

/** The mean squared distance of the points to their mean. */
function spreadOf(points: Points): number {
  const mean = meansOf(points, new Int32Array(points.count), pick(points, [0]));
  let sum = 0;
  for (let i = 0; i < points.count; i++) sum += distance(points, i, mean, 0);
  return sum / points.count;
}

/** What stays of some points, `staying` of them, and the others with the squared distance to what stays for them. */
function thinned(
  points: Points,
  staying: number,
  draws: ArrayLike<number>,
): { readonly stay: number[]; readonly go: { readonly point: number; readonly squared: number }[] } {
  const { clusterOf, distances } = kMeans(points, staying, draws);
  const byDistance = Array.from(distances.keys()).sort((a, b) => distances[a]! - distances[b]! || a - b);
  const stands = new Map<number, number>();
  for (const point of byDistance) {
    if (!stands.has(clusterOf[point]!)) stands.set(clusterOf[point]!, point);
  }
  const stay = new Set(stands.values());
  // where copies leave a cluster empty, those stay that are worst stood for
  for (const point of byDistance.reverse()) if (stay.size < staying) stay.add(point);
  const go = Array.from({ length: points.count }, (_, point) => point)
    .filter((point) => !stay.has(point))
    .map((point) => ({ point, squared: distance(points, point, points, stands.get(clusterOf[point]!)!) }))
    .sort((a, b) => a.squared - b.squared || a.point - b.point);
  return { stay: [...stay].sort((a, b) => a - b), go };
}
