import { distance } from 'fastest-levenshtein';
import zeptomatch from 'zeptomatch';

/**
 * A test of whether a layer's path is meant by a pattern: its own name, that of a model around it (`encoder` means
 * `encoder/conv1`, too), or a glob for either. A `*` stays within one name, `**` goes into models.
 */
export function matcherOf(pattern: string): (path: string) => boolean {
  const glob = zeptomatch.compile(pattern);
  return (path) => {
    const steps = path.split('/');
    const names = steps.map((_, i) => steps.slice(0, i + 1).join('/'));
    return names.some((name) => name === pattern || glob.test(name));
  };
}

/** Those of some names that are most like what was said, the nearest first. */
export function nearest(said: string, names: readonly string[], count = 5): string[] {
  // only what is spelled out can be near
  const spelled = said.replace(/[*?]/g, '');
  const near = names.map((name) => [distance(spelled, name), name] as const);
  return near
    .sort(([a], [b]) => a - b)
    .slice(0, count)
    .map(([, name]) => name);
}
