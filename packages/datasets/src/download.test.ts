import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Download, download, type Outcome } from './download.ts';
import { breakOff, sendRange, serve, type TestServer } from './testing/server.ts';

const body = Uint8Array.from({ length: 50_000 }, (_, i) => i % 251);
const half = 25_000;
const quick = { connect: 500, idle: 300 };

let folder: string;
let target: string;
let servers: TestServer[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-download-'));
  target = join(folder, 'file');
});

afterEach(async () => {
  for (const server of servers) server.close();
  servers = [];
  await rm(folder, { recursive: true });
});

const start: typeof serve = async (answer) => {
  const server = await serve(answer);
  servers.push(server);
  return server;
};

const job = (...from: readonly { url: string }[]): Download => ({
  urls: from.map(({ url }) => url),
  target,
  maxBytes: body.length + 10,
  check: async (path) => (Buffer.compare(await readFile(path), body) === 0 ? undefined : 'other bytes'),
});

const isThere = async (outcome: Outcome): Promise<void> => {
  expect(outcome).toMatchObject({ ok: true });
  expect(Buffer.compare(await readFile(target), body)).toBe(0);
  expect(await readdir(folder)).toEqual(['file']);
};

describe('download', () => {
  it('brings a file whole and leaves nothing else behind', async () => {
    const server = await start((response) => response.end(body));
    const outcome = await download(job(server), quick);
    await isThere(outcome);
    expect(outcome).toEqual({ ok: true, host: new URL(server.url).host });
    expect(server.ranges).toEqual([undefined]);
  });

  it('goes on where the answer broke off', async () => {
    const server = await start((response, request, count) =>
      count === 0 ? breakOff(response, body, half) : sendRange(response, request, body),
    );
    await isThere(await download(job(server), quick));
    expect(server.ranges).toEqual([undefined, `bytes=${half}-`]);
  });

  it('goes on with what an earlier, failed download left', async () => {
    const dying = await start((response, _, count) =>
      count === 0 ? breakOff(response, body, half) : response.destroy(),
    );
    expect(await download(job(dying), quick)).toMatchObject({ ok: false, wrong: false });
    expect(await readdir(folder)).toEqual(['file.part']);
    const server = await start((response, request) => sendRange(response, request, body));
    await isThere(await download(job(server), quick));
    expect(server.ranges).toEqual([`bytes=${half}-`]);
  });

  it('takes over from a killed process, and leaves a living one alone', async () => {
    // Linux gives no process a number that high.
    await writeFile(`${target}.99999999-dead.part`, body.subarray(0, half));
    const living = `file.${process.ppid}-live.part`;
    await writeFile(join(folder, living), body.subarray(0, 10));
    const server = await start((response, request) => sendRange(response, request, body));
    expect(await download(job(server), quick)).toMatchObject({ ok: true });
    expect(server.ranges).toEqual([`bytes=${half}-`]);
    expect((await readdir(folder)).toSorted()).toEqual(['file', living].toSorted());
  });

  it('starts again where the server does not know ranges', async () => {
    const server = await start((response, _, count) =>
      count === 0 ? breakOff(response, body, half) : response.end(body),
    );
    await isThere(await download(job(server), quick));
    expect(server.ranges).toEqual([undefined, `bytes=${half}-`]);
  });

  it('starts again where the server sends another range', async () => {
    await writeFile(`${target}.part`, body.subarray(0, half));
    const server = await start((response, request) => {
      if (request.headers.range === undefined) response.end(body);
      else
        response
          .writeHead(206, { 'content-range': `bytes 7-${body.length - 1}/${body.length}` })
          .end(body.subarray(7));
    });
    await isThere(await download(job(server), quick));
    expect(server.ranges).toEqual([`bytes=${half}-`, undefined]);
  });

  it('starts again where the leftover is longer than the file', async () => {
    await writeFile(`${target}.part`, new Uint8Array(body.length + 5));
    const server = await start((response, request) => sendRange(response, request, body));
    await isThere(await download(job(server), quick));
  });

  it('starts again where the leftover was wrong', async () => {
    await writeFile(`${target}.part`, new Uint8Array(half));
    const server = await start((response, request) => sendRange(response, request, body));
    await isThere(await download(job(server), quick));
    expect(server.ranges).toEqual([`bytes=${half}-`, undefined]);
  });

  it('resumes an answer that stalls', async () => {
    const server = await start((response, request, count) => {
      if (count > 0) return sendRange(response, request, body);
      response.writeHead(200, { 'content-length': body.length });
      response.write(body.subarray(0, half));
    });
    await isThere(await download(job(server), quick));
  });

  it('serves two at once', async () => {
    const server = await start((response, request) => sendRange(response, request, body));
    const outcomes = await Promise.all([download(job(server), quick), download(job(server), quick)]);
    for (const outcome of outcomes) await isThere(outcome);
  });

  it('tries the next address after a refusal, an error page and a wrong file', async () => {
    const gone = await start((response) => response.end());
    gone.close();
    const missing = await start((response) => response.writeHead(404).end('not here'));
    const wrong = await start((response) => response.end('<html>log in first</html>'));
    const right = await start((response) => response.end(body));
    await isThere(await download(job(gone, missing, wrong, right), quick));
  });

  it('says what each address did', async () => {
    const gone = await start((response) => response.end());
    gone.close();
    const missing = await start((response) => response.writeHead(404).end());
    const outcome = await download(job(gone, missing), quick);
    expect(outcome).toMatchObject({ ok: false, wrong: false });
    const reasons = outcome.ok ? [] : outcome.reasons;
    expect(reasons[0]).toContain('ECONNREFUSED');
    expect(reasons[1]).toContain('answered with HTTP 404');
  });

  it('keeps nothing of a wrong file', async () => {
    const server = await start((response) => response.end(new Uint8Array(body.length)));
    expect(await download(job(server), quick)).toMatchObject({ ok: false, wrong: true });
    expect(await readdir(folder)).toEqual([]);
  });

  it('stops an answer that has no end', async () => {
    const server = await start((response) => {
      const more = (): unknown => response.write(new Uint8Array(10_000), more);
      more();
    });
    expect(await download(job(server), quick)).toMatchObject({ ok: false, wrong: true });
  });

  it('gives up on an address that breaks off again and again', async () => {
    const server = await start((response, _, count) => breakOff(response, body, half + count));
    expect(await download(job(server), quick)).toMatchObject({ ok: false, wrong: false });
    expect(server.ranges.length).toBeLessThan(10);
  });

  it('notices within five seconds that two addresses say nothing', async () => {
    const [one, two] = [await start(() => {}), await start(() => {})];
    const before = Date.now();
    const outcome = await download(job(one, two));
    expect(Date.now() - before).toBeLessThan(5000);
    expect(outcome.ok ? [] : outcome.reasons).toEqual([
      expect.stringContaining('no answer within 2.3 s'),
      expect.stringContaining('no answer within 2.'),
    ]);
  });

  it('makes the folders on its way, from two sides at once', async () => {
    const server = await start((response) => response.end(body));
    const into = (name: string) => ({ ...job(server), target: join(folder, 'a', 'b', 'c', name) });
    const outcomes = await Promise.all([download(into('one'), quick), download(into('two'), quick)]);
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, true]);
    expect((await readdir(join(folder, 'a', 'b', 'c'))).sort()).toEqual(['one', 'two']);
  });

  it.each([
    ['where a file stands', () => join(folder, 'taken', 'file')],
    ['where no folder can be made', () => '/proc/nowhere/deep/file'],
  ])('says so where the cache cannot be written: %s', async (_, at) => {
    await writeFile(join(folder, 'taken'), '');
    const server = await start((response) => response.end(body));
    const outcome = await download({ ...job(server), target: at() }, quick);
    expect(outcome.ok ? [] : outcome.reasons).toEqual([
      expect.stringContaining('the cache cannot be written'),
    ]);
    expect(server.ranges).toEqual([]);
  });
});
