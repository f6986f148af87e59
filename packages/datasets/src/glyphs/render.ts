import { uniformFloat32 } from 'pure-rand/distribution/uniformFloat32';
import type { Random } from '../random.ts';

/** The side of an image, in pixels. */
export const SIDE = 28;

/** One stroke of the pen as points: x, y, x, y, ... */
export type Stroke = readonly number[];

const CURVE_STEPS = 6;

/** Reads a path of `strokes.ts`; curves become short straight lines. */
export const parseStrokes = (path: string): Stroke[] => {
  const parsed: number[][] = [];
  for (const [, command, list] of path.matchAll(/([MLC])([^MLC]*)/g)) {
    const at = list!.trim().split(/\s+/).map(Number);
    if (command === 'M') parsed.push(at);
    const stroke = parsed.at(-1)!;
    if (command === 'L') stroke.push(...at);
    if (command !== 'C') continue;
    const from = stroke.slice(-2);
    for (let step = 1; step <= CURVE_STEPS; step++) {
      const t = step / CURVE_STEPS;
      const s = 1 - t;
      const weights = [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t];
      for (const axis of [0, 1]) {
        const points = [from[axis]!, at[axis]!, at[2 + axis]!, at[4 + axis]!];
        stroke.push(points.reduce((sum, point, i) => sum + point * weights[i]!, 0));
      }
    }
  }
  return parsed;
};

/** Short lines across those ends of strokes that run upright, as printed letters have them. */
const serifs = (strokes: readonly Stroke[], reach: number): Stroke[] => {
  const added: Stroke[] = [];
  for (const stroke of strokes) {
    for (const [end, beside] of [
      [0, 2],
      [stroke.length - 2, stroke.length - 4],
    ] as const) {
      const [x, y] = [stroke[end]!, stroke[end + 1]!];
      const upright = Math.abs(stroke[beside + 1]! - y) > 2 * Math.abs(stroke[beside]! - x);
      if (upright) added.push([x - reach, y, x + reach, y]);
    }
  }
  return added;
};

/** Lowers `distance` to the distance from each pixel's centre to the line, where the line is near. */
const approach = (
  distance: Float32Array,
  reach: number,
  ax: number,
  ay: number,
  bx: number,
  by: number,
): void => {
  const [dx, dy] = [bx - ax, by - ay];
  const square = dx * dx + dy * dy || 1;
  const left = Math.max(0, Math.floor(Math.min(ax, bx) - reach));
  const right = Math.min(SIDE - 1, Math.ceil(Math.max(ax, bx) + reach));
  const top = Math.max(0, Math.floor(Math.min(ay, by) - reach));
  const bottom = Math.min(SIDE - 1, Math.ceil(Math.max(ay, by) + reach));
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const along = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / square));
      const [offX, offY] = [x - ax - along * dx, y - ay - along * dy];
      const away = Math.sqrt(offX * offX + offY * offY);
      if (away < distance[y * SIDE + x]!) distance[y * SIDE + x] = away;
    }
  }
};

/** A number around 0 that is seldom beyond `spread`: the sum of two uniform ones. */
const around = (random: Random, spread: number): number =>
  (uniformFloat32(random) + uniformFloat32(random) - 1) * spread;

const between = (random: Random, low: number, high: number): number =>
  low + uniformFloat32(random) * (high - low);

/** A hand: how one person, this once, places and bends a point of the 100 x 100 box. */
const hand = (random: Random): ((x: number, y: number) => [number, number]) => {
  const height = between(random, 15, 22);
  const width = height * between(random, 0.55, 1);
  const slant = around(random, 0.5);
  const turn = around(random, 0.4);
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const [right, down] = [around(random, 3.5), around(random, 3.5)];
  // Two slow waves bend the whole glyph smoothly.
  const waves = [0, 1].map(() => ({
    reach: around(random, 0.17),
    pace: between(random, 2, 7),
    phase: between(random, 0, 2 * Math.PI),
  }));
  const [across, along] = waves as [(typeof waves)[0], (typeof waves)[0]];
  return (px, py) => {
    const [u, v] = [px / 100 - 0.5, py / 100 - 0.5];
    const bentU = u + across.reach * Math.sin(across.pace * v + across.phase) - slant * v;
    const bentV = v + along.reach * Math.sin(along.pace * u + along.phase);
    const [x, y] = [bentU * width, bentV * height];
    return [SIDE / 2 - 0.5 + right + cos * x - sin * y, SIDE / 2 - 0.5 + down + sin * x + cos * y];
  };
};

/** Draws a glyph as someone's hand would into `image`, with pixels in [0, 1]. */
export const render = (
  strokes: readonly Stroke[],
  printed: boolean,
  random: Random,
  image: Float32Array,
): void => {
  const place = hand(random);
  const radius = between(random, 0.45, 1.5);
  const blur = between(random, 0.6, 1.3);
  const ink = between(random, 0.7, 1);
  const noise = between(random, 0, 0.25);
  const all = printed ? [...strokes, ...serifs(strokes, between(random, 7, 16))] : strokes;

  const reach = radius + blur;
  const distance = new Float32Array(SIDE * SIDE).fill(reach);
  for (const stroke of all) {
    let [ax, ay] = place(stroke[0]!, stroke[1]!);
    for (let i = 2; i < stroke.length; i += 2) {
      const [bx, by] = place(stroke[i]!, stroke[i + 1]!);
      approach(distance, reach, ax, ay, bx, by);
      [ax, ay] = [bx, by];
    }
  }
  for (let i = 0; i < image.length; i++) {
    const covered = Math.min(1, (reach - distance[i]!) / (2 * blur));
    image[i] = Math.min(1, Math.max(0, covered * ink + (uniformFloat32(random) - 0.5) * noise));
  }
};
