/** A caller that ends its side has left: what stayed open would stay for ever, and anybody can open connections. */
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

test.each([
  ['nothing', ''],
  ['half a request', 'POST /mcp HTTP/1.1\r\nhost: localhost\r\n'],
  ['the beginning of an HTTP/2 connection', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['the beginning of that beginning', 'PR'],
  ['an HTTP/2 connection cut short within a frame', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\u0012\u0004'],
])(
  'after %s',
  async (_what, text) => {
    const closed = new Promise((resolve) => {
      const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => socket.end(text, 'latin1'));
      socket.resume().on('error', () => undefined);
      socket.on('close', () => resolve('closed'));
    });
    await expect(closed).resolves.toBe('closed');
  },
  3_000,
);
