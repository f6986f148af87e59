/**
 * The positions of `values` from the smallest value to the largest, equal ones in their own order.
 *
 * A radix sort: hundreds of thousands of pairs take milliseconds. The bits of floats that aren't negative
 * order as whole numbers do.
 *
 * @param values all at least 0
 */
export function rank(values: Float32Array): Uint32Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const asTheyCome = Uint32Array.from(values, (_, position) => position);
  if (values.length < 2) return asTheyCome;
  return sortByDigit(bits, sortByDigit(bits, asTheyCome, 0), 16);
}

/** `order` by the 16 bits from `shift` on; stable. */
function sortByDigit(bits: Uint32Array, order: Uint32Array, shift: number): Uint32Array {
  const digitAt = (position: number) => (bits[position]! >>> shift) & 0xffff;
  const starts = new Uint32Array(0x10001);
  for (const position of order) starts[digitAt(position) + 1]! += 1;
  for (let digit = 0; digit < 0x10000; digit++) starts[digit + 1]! += starts[digit]!;
  const sorted = new Uint32Array(order.length);
  for (const position of order) sorted[starts[digitAt(position)]!++] = position;
  return sorted;
}
