import { RUNTIME } from '#runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../adapters/node-compat/clock.ts';
import { createDialer } from '../../../adapters/node-compat/dialer/dialer.ts';
import { fetchOver } from '../../../src/tls/fetch-bytes.ts';
import { type DocumentServer, startDocumentServer } from '../../support/document-server.ts';

const dialer = createDialer(RUNTIME, { events: () => {}, clock: systemClock, contextCache: { maxIdle: 0 } });
const fetchBytes = fetchOver(dialer, systemClock);
const limits = { accept: 'application/pkix-crl', limitBytes: 1_000, timeoutMs: 2_000 };
let server: DocumentServer;
beforeAll(async () => {
  server = await startDocumentServer();
  server.put('/good', 'x'.repeat(1_000));
  server.put('/long', 'x'.repeat(1_001));
  server.put('/moved', 302);
  server.put('/silent', () => Promise.resolve(undefined));
});
afterAll(() => server.close());

test('a document is fetched whole, with its query', async () => {
  expect((await fetchBytes(`${server.url}/good?ca=1`, limits)).length).toBe(1_000);
  expect(server.asked).toContain('/good?ca=1');
});

test.each([
  ['/long', 'upstream_too_large'],
  ['/moved', 'upstream_http_status'],
  ['/silent', 'upstream_timeout'],
])('%s is refused: %s', async (path, code) => {
  const timeoutMs = path === '/silent' ? 100 : limits.timeoutMs;
  await expect(fetchBytes(server.url + path, { ...limits, timeoutMs })).rejects.toMatchObject({ code });
});

test('addresses that hand out credentials are not asked', async () => {
  await expect(fetchBytes('http://169.254.169.254/latest', limits)).rejects.toMatchObject({ code: 'address_refused' });
});

test('a server that speaks no TLS is not believed behind https', async () => {
  await expect(fetchBytes(server.url.replace('http:', 'https:'), limits)).rejects.toMatchObject({
    code: 'tls_not_spoken',
  });
});
