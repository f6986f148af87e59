import { fail } from './errors.ts';

/** The contents of an IDX file of unsigned bytes. */
export interface Idx {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;

/** Reads an IDX file (http://yann.lecun.com/exdb/mnist) of unsigned bytes with `axes` axes. */
export const parseIdx = (bytes: Uint8Array, axes: number, file: string): Idx => {
  const header = 4 + 4 * axes;
  if (bytes.length < header) {
    fail(`${file} is cut short: its header takes ${header} bytes, found ${bytes.length}. Get the file again`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;
  const expected = (UNSIGNED_BYTE << 8) | axes;
  const magic = view.getUint32(0);
  if (magic !== expected) {
    fail(
      `${file} is not an IDX file of bytes with ${axes} axes: expected magic ${hex(expected)}, found ${hex(magic)}`,
    );
  }
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = shape.reduce((product, side) => product * side, 1);
  if (bytes.length - header !== size) {
    fail(
      `${file} does not hold what its header says: expected ${size} bytes of data (${shape.join(' x ')}), ` +
        `found ${bytes.length - header}. Get the file again`,
    );
  }
  return { shape, data: bytes.subarray(header) };
};
