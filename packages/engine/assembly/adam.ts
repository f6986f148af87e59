/**
 * One step of Adam for n weights: writes `out`, and the moments m and v in place. `rest1` and `rest2` are 1 - beta;
 * they come rounded once from outside, since 1 minus a rounded beta is far less exact.
 */
// biome-ignore format: as it is called
export function adam(
  out: usize, value: usize, gradient: usize, m: usize, v: usize, n: i32,
  beta1: f32, rest1: f32, beta2: f32, rest2: f32, rate: f32, correction: f32, epsilon: f32,
): void {
  const end: usize = n * 4;
  let at: usize = 0;
  for (; at + 16 <= end; at += 16) {
    const g = v128.load(gradient + at);
    const first = f32x4.add(
      f32x4.mul(v128.load(m + at), f32x4.splat(beta1)),
      f32x4.mul(g, f32x4.splat(rest1)),
    );
    const second = f32x4.add(
      f32x4.mul(v128.load(v + at), f32x4.splat(beta2)),
      f32x4.mul(f32x4.mul(g, g), f32x4.splat(rest2)),
    );
    v128.store(m + at, first);
    v128.store(v + at, second);
    const root = f32x4.sqrt(f32x4.mul(second, f32x4.splat(correction)));
    const step = f32x4.div(f32x4.mul(f32x4.splat(rate), first), f32x4.add(root, f32x4.splat(epsilon)));
    v128.store(out + at, f32x4.sub(v128.load(value + at), step));
  }
  for (; at < end; at += 4) {
    const g = f32.load(gradient + at);
    const first = f32.load(m + at) * beta1 + g * rest1;
    const second = f32.load(v + at) * beta2 + g * g * rest2;
    f32.store(m + at, first);
    f32.store(v + at, second);
    f32.store(out + at, f32.load(value + at) - (rate * first) / (sqrt<f32>(second * correction) + epsilon));
  }
}
