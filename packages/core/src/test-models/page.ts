import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { type BuildResult, build } from 'esbuild';

/**
 * Bundles TypeScript as a page would, and runs it where there is no process and no require. The answer is
 * what the code's `run` function answers, as JSON knows it.
 */
export async function runAsPage(
  code: string,
): Promise<{ answer: unknown; warnings: BuildResult['warnings'] }> {
  const bundled = await build({
    stdin: { contents: code, resolveDir: fileURLToPath(new URL('..', import.meta.url)), loader: 'ts' },
    bundle: true,
    write: false,
    platform: 'browser',
    conditions: ['@espalier/source'],
    format: 'iife',
    banner: { js: 'var self = globalThis, WorkerGlobalScope = Object;' },
    logLevel: 'silent',
  });
  const context = createContext({ console, setTimeout, performance, TextEncoder, TextDecoder }) as {
    run?: () => Promise<unknown>;
  };
  runInContext(bundled.outputFiles[0]!.text, context);
  const answer = JSON.stringify((await context.run?.()) ?? null);
  return {
    answer: JSON.parse(answer),
    warnings: bundled.warnings.filter(({ location }) => !location?.file.includes('node_modules')),
  };
}
