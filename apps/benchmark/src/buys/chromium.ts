import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { builtModule } from '../worker-pool.ts';
import type { Answer, Job } from './measure.ts';

/** Answered by the page itself: nothing is asked of a network. */
const ORIGIN = 'http://page.invalid';
const commands = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Why there is no Chromium to measure in, if so, and what to do. */
export async function whyNotInChromium(): Promise<string | undefined> {
  try {
    await import('esbuild');
    const browser = await launch();
    await browser.close();
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_MODULE_NOT_FOUND') {
      return 'it takes two packages that are not here: npm install esbuild playwright-core';
    }
    return `${message.split('\n')[0]}; ESPALIER_CHROMIUM may name the file of a Chromium`;
  }
}

/** Does a job in a page of its own, as it comes with a browser: one thread, not isolated from other pages. */
export async function inChromium(job: Job): Promise<Answer> {
  const code = await bundle();
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await serve(page, code);
    await page.goto(ORIGIN);
    return await page.evaluate<Answer>(`halve(${JSON.stringify(job)})`);
  } finally {
    await browser.close();
  }
}

async function launch(): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  const executablePath = process.env.ESPALIER_CHROMIUM || onPath();
  // else where Chrome usually is
  return chromium.launch(executablePath === undefined ? { channel: 'chrome' } : { executablePath });
}

const onPath = (): string | undefined =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => commands.map((name) => join(folder, name)))
    .find((path) => existsSync(path));

async function bundle(): Promise<string> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    ...{ entryPoints: [fileURLToPath(builtModule('buys/page'))], bundle: true, write: false },
    ...{ platform: 'browser', format: 'iife', minify: true, logLevel: 'error' },
  });
  return outputFiles[0]!.text;
}

/** The page, its script, and the binaries of wasm. */
async function serve(page: Page, code: string): Promise<void> {
  const wasmFolder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
  await page.route(`${ORIGIN}/**`, async (route) => {
    const name = basename(new URL(route.request().url()).pathname);
    if (name.endsWith('.wasm')) {
      await route.fulfill({ body: await readFile(join(wasmFolder, name)), contentType: 'application/wasm' });
    } else if (name === 'page.js') await route.fulfill({ body: code, contentType: 'text/javascript' });
    else await route.fulfill({ body: '<script src="/page.js"></script>', contentType: 'text/html' });
  });
}
