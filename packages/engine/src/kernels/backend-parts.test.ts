import { version_wasm } from '@tensorflow/tfjs-backend-wasm';
import { describe, expect, it } from 'vitest';
import { whyUnknown } from './backend-parts.ts';

describe('what is known of the wasm backend', () => {
  it('covers the installed version and later ones of its kind', () => {
    for (const version of [version_wasm, '4.22.0', '4.23.1']) expect(whyUnknown(version)).toBeUndefined();
  });

  it('does not cover another major version, whatever parts it has', () => {
    for (const version of ['5.0.0', '3.21.0', '40.1.0'])
      expect(whyUnknown(version)).toBe('is not a version 4');
  });
});
