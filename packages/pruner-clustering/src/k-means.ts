import { distance, meansOf, type Points, pick } from './points.ts';

/** Points by the centre that is nearest to each. */
export interface Clusters {
  /** The number of each point's cluster. */
  readonly clusterOf: Int32Array;
  /** The squared distance of each point to its cluster's centre. */
  readonly distances: Float64Array;
}

/** Lloyd's steps end sooner, as a rule, by themselves. */
const MOST_STEPS = 100;

/**
 * Clusters points by k-means++.
 *
 * @param k at least 1, at most as many as there are points
 * @param draws numbers from 0 to below 1, at least k: they choose the first centres.
 */
export function kMeans(points: Points, k: number, draws: ArrayLike<number>): Clusters {
  let centers = pick(points, firstCenters(points, k, draws));
  let clusters = nearest(points, centers);
  for (let step = 0; step < MOST_STEPS; step++) {
    centers = meansOf(points, clusters.clusterOf, centers);
    const next = nearest(points, centers);
    const isStill = next.clusterOf.every((cluster, i) => cluster === clusters.clusterOf[i]);
    clusters = next;
    if (isStill) break;
  }
  return clusters;
}

/** k points, each drawn with a chance that grows with its squared distance to those before it (Arthur & Vassilvitskii). */
function firstCenters(points: Points, k: number, draws: ArrayLike<number>): number[] {
  const chances = new Float64Array(points.count).fill(1);
  const centers: number[] = [];
  for (let i = 0; i < k; i++) {
    const center = drawn(chances, centers, draws[i]!);
    centers.push(center);
    for (let point = 0; point < points.count; point++) {
      const squared = distance(points, point, points, center);
      chances[point] = i === 0 ? squared : Math.min(chances[point]!, squared);
    }
  }
  return centers;
}

/** The number that a draw hits; where nothing has a chance (copies of centres) the first that is no centre yet. */
function drawn(chances: Float64Array, centers: readonly number[], draw: number): number {
  const total = chances.reduce((sum, chance) => sum + chance, 0);
  let left = draw * total;
  let last: number | undefined;
  for (let i = 0; i < chances.length; i++) {
    if (!(chances[i]! > 0)) continue;
    last = i;
    left -= chances[i]!;
    if (left < 0) return i;
  }
  return last ?? chances.findIndex((_, i) => !centers.includes(i));
}

function nearest(points: Points, centers: Points): Clusters {
  const clusterOf = new Int32Array(points.count);
  const distances = new Float64Array(points.count).fill(Number.POSITIVE_INFINITY);
  for (let i = 0; i < points.count; i++) {
    for (let cluster = 0; cluster < centers.count; cluster++) {
      const squared = distance(points, i, centers, cluster);
      if (squared >= distances[i]!) continue;
      distances[i] = squared;
      clusterOf[i] = cluster;
    }
  }
  return { clusterOf, distances };
}
