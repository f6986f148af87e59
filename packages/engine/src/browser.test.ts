import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const CHROMIUM = '/usr/bin/chromium';
const wasmFolder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));

const script = `
  import { useEngine } from './browser.ts';
  import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
  import { layers, sequential } from '@tensorflow/tfjs-layers';
  import * as tf from '@tensorflow/tfjs-core';
  globalThis.run = async () => {
    setWasmPaths('/wasm/');
    const report = await useEngine();
    const init = (seed) => ({ kernelInitializer: { className: 'RandomNormal', config: { stddev: 0.3, seed } } });
    const model = sequential({ layers: [
      layers.conv2d({ inputShape: [8, 8, 1], filters: 3, kernelSize: 3, activation: 'relu', ...init(1) }),
      layers.maxPooling2d({ poolSize: 2 }), layers.flatten(),
      layers.dense({ units: 2, activation: 'softmax', ...init(2) }),
    ] });
    model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy' });
    const x = tf.tensor(Float32Array.from({ length: 8 * 64 }, (_, i) => Math.sin(i * 12.9898)), [8, 8, 8, 1]);
    const y = tf.oneHot(tf.tensor1d([0, 1, 0, 1, 1, 0, 0, 1], 'int32'), 2);
    const { history } = await model.fit(x, y, { epochs: 10, batchSize: 8, shuffle: false, verbose: 0 });
    const refused = await useEngine('webgpu').catch((error) => error.message);
    return { report, loss: history.loss, refused };
  };
`;

async function bundled(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: script, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'js' },
    bundle: true,
    platform: 'browser',
    format: 'iife',
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0]!.text;
}

describe.skipIf(!existsSync(CHROMIUM))('in a browser (where there is a Chromium)', () => {
  let server: Server;
  let code = '';

  beforeAll(async () => {
    code = await bundled();
    server = createServer(({ url = '' }, response) => {
      if (url.startsWith('/wasm/')) {
        response.setHeader('content-type', 'application/wasm');
        response.end(readFileSync(join(wasmFolder, basename(url))));
      } else if (url === '/page.js') response.end(code);
      else response.setHeader('content-type', 'text/html').end('<script src="/page.js"></script>');
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  });

  afterAll(() => {
    server.close();
  });

  it('trains a convolutional network on wasm', async () => {
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      const { report, loss, refused } = await page.evaluate<{
        report: object;
        loss: number[];
        refused: string;
      }>('run()');
      expect(report).toMatchObject({ name: 'wasm', version: '4.22.0' });
      expect(loss.at(-1)! / loss[0]!).toBeLessThan(0.8);
      expect(refused).toMatch(/webgpu can't be used here.*npm install @tensorflow\/tfjs-backend-webgpu/);
    } finally {
      await browser.close();
    }
  });
});
