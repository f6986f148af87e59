import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server on this machine that answers as a test says, and keeps the ranges that it was asked for. */
export interface TestServer {
  readonly url: string;
  readonly ranges: (string | undefined)[];
  close(): void;
}

/** `answer` gets the number of the request, from 0. */
export const serve = async (
  answer: (response: ServerResponse, request: IncomingMessage, count: number) => void,
): Promise<TestServer> => {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    answer(response, request, ranges.length - 1);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`,
    ranges,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

/** Answers like a server that knows ranges. */
export const sendRange = (response: ServerResponse, request: IncomingMessage, body: Uint8Array): void => {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (start >= body.length) response.writeHead(416).end();
  else if (request.headers.range === undefined) response.end(body);
  else {
    const range = `bytes ${start}-${body.length - 1}/${body.length}`;
    response.writeHead(206, { 'content-range': range }).end(body.subarray(start));
  }
};

/** Promises the whole body, sends the first `bytes` of it and breaks off. */
export const breakOff = (response: ServerResponse, body: Uint8Array, bytes: number): void => {
  response.writeHead(200, { 'content-length': body.length });
  response.write(body.subarray(0, bytes), () => setTimeout(() => response.destroy(), 30));
};
