import type { FamilyArgs } from './net.ts';

/** What the families for images take. */
export interface ImageFamilyArgs extends FamilyArgs {
  /** [height, width, channels]. Default [224, 224, 3]. */
  readonly inputShape?: readonly number[];
}

/** What Keras' networks read. */
export const IMAGENET: readonly number[] = [224, 224, 3];
