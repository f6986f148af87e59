import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DatasetChecksumError, DatasetUnavailableError } from './errors.ts';
import { type DataFile, obtain, type SourceOptions } from './source.ts';
import { sendRange, serve, type TestServer } from './testing/server.ts';

const contents = Uint8Array.from({ length: 5000 }, (_, i) => i % 7);
const sha256 = createHash('sha256').update(contents).digest('hex');
const packed = gzipSync(contents);
const quick = { connect: 500, idle: 300 };

let folder: string;
let server: TestServer;
let sent: Uint8Array;
let options: SourceOptions;
let file: DataFile;

beforeEach(async () => {
  vi.stubEnv('ESPALIER_DATA_DIR', '');
  vi.stubEnv('ESPALIER_CACHE_DIR', '');
  folder = await mkdtemp(join(tmpdir(), 'espalier-source-'));
  sent = packed;
  server = await serve((response, request) => sendRange(response, request, sent));
  options = { dir: join(folder, 'dir'), cacheDir: join(folder, 'cache') };
  file = { path: 'set/file.gz', urls: [server.url], sha256, bytes: contents.length };
});

afterEach(async () => {
  server.close();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const put = async (where: 'dir' | 'cache', bytes: Uint8Array): Promise<void> => {
  await mkdir(join(folder, where, 'set'), { recursive: true });
  await writeFile(join(folder, where, 'set/file.gz'), bytes);
};

describe('obtain', () => {
  it('looks in the folder, then in the cache, then on the network', async () => {
    const host = new URL(server.url).host;
    expect((await obtain('set', file, options)).origin).toBe(host);
    expect(await obtain('set', file, options)).toMatchObject({ origin: 'the cache' });
    await put('dir', packed);
    const found = await obtain('set', file, options);
    expect(found.origin).toBe('the local folder');
    expect(Buffer.compare(found.contents, contents)).toBe(0);
    expect(server.ranges).toHaveLength(1);
  });

  it('takes both folders from the environment', async () => {
    await put('dir', packed);
    vi.stubEnv('ESPALIER_CACHE_DIR', options.cacheDir!);
    expect((await obtain('set', file, {})).origin).toBe(new URL(server.url).host);
    expect((await obtain('set', file, {})).origin).toBe('the cache');
    vi.stubEnv('ESPALIER_DATA_DIR', options.dir!);
    expect((await obtain('set', file, {})).origin).toBe('ESPALIER_DATA_DIR');
  });

  it('takes the same contents unpacked, or packed another way', async () => {
    for (const bytes of [contents, gzipSync(contents, { level: 0 })]) {
      await put('dir', bytes);
      expect(Buffer.compare((await obtain('set', file, options)).contents, contents)).toBe(0);
    }
  });

  it('refuses a local file with other contents and says which', async () => {
    await put('dir', gzipSync(contents.toReversed()));
    const refusal = obtain('set', file, options);
    await expect(refusal).rejects.toBeInstanceOf(DatasetChecksumError);
    await expect(refusal).rejects.toThrow(
      `[datasets] set: ${join(folder, 'dir/set/file.gz')} is not the original`,
    );
    await expect(refusal).rejects.toThrow(`expected SHA-256 ${sha256}, found `);
    expect(server.ranges).toEqual([]);
  });

  it('refuses a local file however it is cut or changed', async () => {
    const flip = fc.record({
      at: fc.nat({ max: packed.length - 1 }),
      bit: fc.nat({ max: 7 }),
      cut: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(flip, async ({ at, bit, cut }) => {
        const bytes = cut ? packed.slice(0, at) : Uint8Array.from(packed);
        if (!cut) bytes[at]! ^= 1 << bit;
        await put('dir', bytes);
        try {
          // Some bits of gzip's header, as its date, change nothing that matters.
          expect(Buffer.compare((await obtain('set', file, options)).contents, contents)).toBe(0);
        } catch (error) {
          expect(error).toBeInstanceOf(DatasetChecksumError);
          expect((error as Error).message).toMatch(/does not unpack|expected/);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('does not unpack more than the file should hold', async () => {
    await put('dir', gzipSync(new Uint8Array(50_000_000)));
    await expect(obtain('set', file, options)).rejects.toThrow('does not unpack');
  });

  it('mends a damaged cache', async () => {
    await put('cache', packed.subarray(0, 30));
    expect((await obtain('set', file, options)).origin).toBe(new URL(server.url).host);
    expect(Buffer.compare(await readFile(join(folder, 'cache/set/file.gz')), packed)).toBe(0);
  });

  it('refuses what the network sends instead, and does not cache it', async () => {
    sent = gzipSync(contents.toReversed());
    await expect(obtain('set', file, options)).rejects.toBeInstanceOf(DatasetChecksumError);
    await expect(obtain('set', file, options)).rejects.toThrow(
      /expected SHA-256 .* found .* Nothing was kept/,
    );
    sent = packed;
    expect((await obtain('set', file, options)).origin).toBe(new URL(server.url).host);
  });

  it('says where it looked and what to do where there is no network', async () => {
    server.close();
    const refusal = obtain('set', file, options, quick);
    await expect(refusal).rejects.toBeInstanceOf(DatasetUnavailableError);
    await expect(refusal).rejects.toMatchObject({ dataset: 'set' });
    await expect(refusal).rejects.toThrow(/ECONNREFUSED/);
    await expect(refusal).rejects.toThrow(
      "Set ESPALIER_DATA_DIR to a folder that holds set/file.gz, or use the dataset 'glyphs'",
    );
  });

  it('leaves the network alone where downloads are turned off', async () => {
    await expect(obtain('set', file, { ...options, download: false })).rejects.toThrow(
      'downloads are turned off',
    );
    expect(server.ranges).toEqual([]);
  });
});
