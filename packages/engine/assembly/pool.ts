/**
 * Adds the error of each window to the first of its values that equals the window's maximum: x and dx
 * [batch, inHeight, inWidth, channels], y and dy [batch, outHeight, outWidth, channels]. dx holds zeros before.
 */
// biome-ignore format: as pairs
export function maxPoolGradient(
  x: usize, y: usize, dy: usize, dx: usize,
  batch: i32, inHeight: i32, inWidth: i32, channels: i32, outHeight: i32, outWidth: i32,
  height: i32, width: i32, strideHeight: i32, strideWidth: i32, top: i32, left: i32,
): void {
  const pixel = channels * 4;
  const line = inWidth * pixel;
  const wide = channels & ~3;
  for (let image = 0; image < batch; image++) {
    for (let oh = 0; oh < outHeight; oh++) {
      const above = oh * strideHeight - top;
      const first = max(0, above);
      const rows = min(inHeight, above + height) - first;
      for (let ow = 0; ow < outWidth; ow++) {
        const before = ow * strideWidth - left;
        const begin = max(0, before);
        const columns = min(inWidth, before + width) - begin;
        const start = (image * inHeight + first) * line + begin * pixel;
        let c = 0;
        for (; c < wide; c += 4, y += 16, dy += 16) {
          const most = v128.load(y);
          let errors = v128.load(dy);
          for (let r = 0; r < rows; r++) {
            let at = start + r * line + c * 4;
            for (let i = 0; i < columns; i++, at += pixel) {
              const here = f32x4.eq(v128.load(x + at), most);
              v128.store(dx + at, f32x4.add(v128.load(dx + at), v128.and(errors, here)));
              errors = v128.andnot(errors, here);
            }
          }
        }
        for (; c < channels; c++, y += 4, dy += 4) {
          const most = f32.load(y);
          let error = f32.load(dy);
          for (let r = 0; r < rows; r++) {
            let at = start + r * line + c * 4;
            for (let i = 0; i < columns; i++, at += pixel) {
              const here = f32.load(x + at) === most;
              f32.store(dx + at, f32.load(dx + at) + (here ? error : 0));
              error = here ? 0 : error;
            }
          }
        }
      }
    }
  }
}
