// All addresses and strides are in bytes, all numbers 32-bit floats.

/** How many rows of the left side, and columns of the right side, are multiplied at a time. */
const ROWS: i32 = 4;
const COLUMNS: i32 = 8;

/** How many columns are packed where so many are left: eight, or four if that is enough. */
function packedWidth(left: i32): i32 {
  return left > 4 ? COLUMNS : 4;
}

/**
 * Lays a right side [k, n] out for `multiply`: eight columns at a time (in the end four, if that is enough), one
 * line after the other, filled up with zeros.
 */
export function pack(b: usize, line: i32, column: i32, k: i32, n: i32, out: usize): void {
  for (let j = 0; j < n; j += COLUMNS) {
    const width = packedWidth(n - j);
    const here = min(width, n - j);
    for (let i = 0; i < k; i++, out += width * 4) {
      let from = b + i * line + j * column;
      if (here === width && column === 4) {
        v128.store(out, v128.load(from));
        if (width === COLUMNS) v128.store(out, v128.load(from, 16), 16);
      } else {
        for (let c = 0; c < here; c++, from += column) f32.store(out + c * 4, f32.load(from));
        for (let c = here; c < width; c++) f32.store(out + c * 4, 0);
      }
    }
  }
}

/** Where row `i` lies: `inner` of them are `step` apart, the next such run is `jump` after the last. */
function place(i: i32, inner: i32, step: i32, jump: i32): usize {
  // A division takes as long as ten multiplications.
  return i < inner ? i * step : (i / inner) * jump + (i % inner) * step;
}

/** Writes the first `width` of four sums, or adds them to what is there. */
function putFour(to: usize, sums: v128, width: i32, add: bool): void {
  if (width >= 4) {
    v128.store(to, add ? f32x4.add(v128.load(to), sums) : sums);
    return;
  }
  for (; width > 0; width--, to += 4) {
    const first = f32x4.extract_lane(sums, 0);
    f32.store(to, add ? f32.load(to) + first : first);
    sums = v128.shuffle<f32>(sums, sums, 1, 2, 3, 0);
  }
}

/** The same for the eight sums of one row. */
function put(to: usize, low: v128, high: v128, width: i32, add: bool): void {
  if (width === COLUMNS) {
    v128.store(to, add ? f32x4.add(v128.load(to), low) : low);
    v128.store(to, add ? f32x4.add(v128.load(to, 16), high) : high, 16);
    return;
  }
  putFour(to, low, width, add);
  if (width > 4) putFour(to + 16, high, width - 4, add);
}

/**
 * c = a b, or c += a b, with a [m, k] and c [m, n] anywhere and b packed. The rows of a and c come in runs (see
 * `place`), and so does k in a: `kInner` numbers `kStep` apart, then the next run `kJump` after the last. So a can
 * be the overlapping windows of an image, and the rows of c may overlap where they are added to.
 */
// biome-ignore format: the parameters of one side on one line
export function multiply(
  a: usize, aInner: i32, aStep: i32, aJump: i32, kInner: i32, kStep: i32, kJump: i32,
  b: usize,
  c: usize, cInner: i32, cStep: i32, cJump: i32,
  m: i32, n: i32, k: i32, add: bool,
): void {
  const turn = kJump - kInner * kStep;
  const last = m - 1;
  for (let j = 0; j < n; j += COLUMNS) {
    const width = min(COLUMNS, n - j);
    for (let i = 0; i < m; i += ROWS) {
      // Beyond the end the last row is multiplied again, for nothing.
      let a0 = a + place(i, aInner, aStep, aJump);
      let a1 = a + place(min(i + 1, last), aInner, aStep, aJump);
      let a2 = a + place(min(i + 2, last), aInner, aStep, aJump);
      let a3 = a + place(min(i + 3, last), aInner, aStep, aJump);
      let p = b;
      let c00 = f32x4.splat(0), c10 = c00, c20 = c00, c30 = c00; // biome-ignore format: as a matrix
      let c01 = c00, c11 = c00, c21 = c00, c31 = c00; // biome-ignore format: as a matrix
      if (width > 4) {
        for (let o = 0; o < k; o += kInner) {
          for (let s = 0; s < kInner; s++, p += 32) {
            const b0 = v128.load(p);
            const b1 = v128.load(p, 16);
            const x0 = v128.load32_splat(a0);
            c00 = f32x4.add(c00, f32x4.mul(x0, b0));
            c01 = f32x4.add(c01, f32x4.mul(x0, b1));
            const x1 = v128.load32_splat(a1);
            c10 = f32x4.add(c10, f32x4.mul(x1, b0));
            c11 = f32x4.add(c11, f32x4.mul(x1, b1));
            const x2 = v128.load32_splat(a2);
            c20 = f32x4.add(c20, f32x4.mul(x2, b0));
            c21 = f32x4.add(c21, f32x4.mul(x2, b1));
            const x3 = v128.load32_splat(a3);
            c30 = f32x4.add(c30, f32x4.mul(x3, b0));
            c31 = f32x4.add(c31, f32x4.mul(x3, b1));
            a0 += kStep;
            a1 += kStep;
            a2 += kStep;
            a3 += kStep;
          }
          a0 += turn;
          a1 += turn;
          a2 += turn;
          a3 += turn;
        }
      } else {
        for (let o = 0; o < k; o += kInner) {
          for (let s = 0; s < kInner; s++, p += 16) {
            const b0 = v128.load(p);
            c00 = f32x4.add(c00, f32x4.mul(v128.load32_splat(a0), b0));
            c10 = f32x4.add(c10, f32x4.mul(v128.load32_splat(a1), b0));
            c20 = f32x4.add(c20, f32x4.mul(v128.load32_splat(a2), b0));
            c30 = f32x4.add(c30, f32x4.mul(v128.load32_splat(a3), b0));
            a0 += kStep;
            a1 += kStep;
            a2 += kStep;
            a3 += kStep;
          }
          a0 += turn;
          a1 += turn;
          a2 += turn;
          a3 += turn;
        }
      }
      // One after the other: where rows overlap, the next adds to what the last has written.
      const to = c + j * 4;
      put(to + place(i, cInner, cStep, cJump), c00, c01, width, add);
      if (i + 1 < m) put(to + place(i + 1, cInner, cStep, cJump), c10, c11, width, add);
      if (i + 2 < m) put(to + place(i + 2, cInner, cStep, cJump), c20, c21, width, add);
      if (i + 3 < m) put(to + place(i + 3, cInner, cStep, cJump), c30, c31, width, add);
    }
    b += k * packedWidth(width) * 4;
  }
}
