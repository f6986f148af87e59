/** Lines that are summed before they are added to the sums of the others, which keeps the rounding small. */
const CHUNK: i32 = 256;

/** The sums of four columns over some lines. */
function sumFour(x: usize, lines: i32, stride: i32): v128 {
  let sum = f32x4.splat(0);
  for (let i = 0; i < lines; i++, x += stride) sum = f32x4.add(sum, v128.load(x));
  return sum;
}

/** out [n] = the sums of the columns of x [lines, n]. */
export function sumLines(x: usize, lines: i32, n: i32, out: usize): void {
  const stride = n * 4;
  memory.fill(out, 0, stride);
  for (let first = 0; first < lines; first += CHUNK, x += CHUNK * stride) {
    const count = min(CHUNK, lines - first);
    let c = 0;
    for (; c + 4 <= n; c += 4) {
      const to = out + c * 4;
      v128.store(to, f32x4.add(v128.load(to), sumFour(x + c * 4, count, stride)));
    }
    for (; c < n; c++) {
      let sum: f32 = 0;
      for (let i = 0, from = x + c * 4; i < count; i++, from += stride) sum += f32.load(from);
      f32.store(out + c * 4, f32.load(out + c * 4) + sum);
    }
  }
}

/** out [lines, n] = x + line, with x [lines, n] and line [n], where n is 4 or more. */
export function addLine(x: usize, line: usize, lines: i32, n: i32, out: usize): void {
  const end = n * 4;
  const rest = end - 16;
  for (let i = 0; i < lines; i++, x += end, out += end) {
    for (let c = 0; c < rest; c += 16) v128.store(out + c, f32x4.add(v128.load(x + c), v128.load(line + c)));
    // Some of the last four may have been done before, which changes nothing.
    v128.store(out + rest, f32x4.add(v128.load(x + rest), v128.load(line + rest)));
  }
}

/** Makes zeros of what is negative in x [n]. */
export function relu(x: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4, x += 16) v128.store(x, f32x4.max(v128.load(x), f32x4.splat(0)));
  for (; i < n; i++, x += 4) f32.store(x, max<f32>(f32.load(x), 0));
}

/** dx [n] = dy where x lies in [low, high], else 0. */
export function within(dy: usize, x: usize, n: i32, low: f32, high: f32, dx: usize): void {
  let i = 0;
  for (; i + 4 <= n; i += 4, dy += 16, x += 16, dx += 16) {
    const value = v128.load(x);
    const inside = v128.and(f32x4.ge(value, f32x4.splat(low)), f32x4.le(value, f32x4.splat(high)));
    v128.store(dx, v128.and(v128.load(dy), inside));
  }
  for (; i < n; i++, dy += 4, x += 4, dx += 4) {
    const value = f32.load(x);
    f32.store(dx, value >= low && value <= high ? f32.load(dy) : 0);
  }
}

/** dx = (dy - sum of dy y) y, line by line, all [lines, n]. */
export function softmaxGradient(dy: usize, y: usize, lines: i32, n: i32, dx: usize): void {
  const stride = n * 4;
  for (let i = 0; i < lines; i++, dy += stride, y += stride, dx += stride) {
    let sum: f32 = 0;
    for (let c = 0; c < stride; c += 4) sum += f32.load(dy + c) * f32.load(y + c);
    for (let c = 0; c < stride; c += 4) f32.store(dx + c, (f32.load(dy + c) - sum) * f32.load(y + c));
  }
}

/** The gradient of a / b by b, where b has one number per line: db [lines] = - sum of dy a / b^2. */
export function divisorGradient(dy: usize, a: usize, b: usize, lines: i32, n: i32, db: usize): void {
  for (let i = 0; i < lines; i++, b += 4, db += 4) {
    let sum: f32 = 0;
    for (let c = 0; c < n; c++, dy += 4, a += 4) sum += f32.load(dy) * f32.load(a);
    f32.store(db, -sum / (f32.load(b) * f32.load(b)));
  }
}

/** out [lines, n] = each number of x [lines] n times, scaled. */
export function spread(x: usize, lines: i32, n: i32, scale: f32, out: usize): void {
  for (let i = 0; i < lines; i++, x += 4) {
    const value = f32.load(x) * scale;
    for (let c = 0; c < n; c++, out += 4) f32.store(out, value);
  }
}

/** Copies runs of `bytes`, the one with each index; answers with the place of an index that is not below `limit`, or -1. */
export function gather(x: usize, indices: usize, count: i32, bytes: i32, limit: i32, out: usize): i32 {
  for (let i = 0; i < count; i++, out += bytes) {
    const index = i32.load(indices + i * 4);
    if (<u32>index >= <u32>limit) return i;
    memory.copy(out, x + index * bytes, bytes);
  }
  return -1;
}

/** Copies `count` runs of `bytes` that lie `fromStep` apart to places that are `toStep` apart. */
export function copyLines(from: usize, fromStep: i32, to: usize, toStep: i32, bytes: i32, count: i32): void {
  for (let i = 0; i < count; i++, from += fromStep, to += toStep) memory.copy(to, from, bytes);
}

/** Writes zeros. */
export function clear(at: usize, bytes: i32): void {
  memory.fill(at, 0, bytes);
}
