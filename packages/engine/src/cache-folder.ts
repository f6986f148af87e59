import envPaths from 'env-paths';

/** Where Espalier keeps what it can get or find out again: ESPALIER_CACHE_DIR, else the platform's own place. */
export function cacheFolder(): string {
  return process.env.ESPALIER_CACHE_DIR || envPaths('espalier', { suffix: '' }).cache;
}
