import { beforeAll, expect, test } from 'vitest';
import { CertificateCallers } from '../../../src/identity/certificate-callers.ts';
import { isProxyEntry, LOOPBACK_NETWORKS, TrustedProxies } from '../../../src/identity/proxy/trusted-proxies.ts';
import { connectionFrom } from '../../support/authentication.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { mintPki } from '../../support/pki.ts';
import type { MintedCertificate } from '../../support/pki.ts';

const clock = new ManualClock();
const trusting = (...entries: string[]) => new TrustedProxies(entries, new CertificateCallers(clock));

let shown: MintedCertificate;
beforeAll(async () => {
  const ca = await (await mintPki()).ca('Proxies');
  const validity = { notBefore: new Date(clock.nowMs() - 1000), notAfter: new Date(clock.nowMs() + 60_000) };
  shown = await ca.issue({ cn: 'proxy', dns: ['proxy.example'], ...validity });
});

test.each([
  ['127.0.0.1', true],
  ['127.8.9.1', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['10.0.0.1', false],
  ['::2', false],
  ['', false],
  [undefined, false],
])('%s is on this machine: %s', (address, isNear) => {
  expect(trusting(...LOOPBACK_NETWORKS).has(connectionFrom(address))).toBe(isNear);
});

test('where some are listed, those of this machine are not, unless they are', () => {
  expect(trusting('10.1.0.0/16').has(connectionFrom('10.1.2.3'))).toBe(true);
  expect(trusting('10.1.0.0/16').has(connectionFrom('127.0.0.1'))).toBe(false);
  expect(trusting().has(connectionFrom('127.0.0.1'))).toBe(false);
});

test('a proxy is known by the subject of its certificate, wherever it is', async () => {
  const proxies = trusting('cert:proxy.example');
  const connection = connectionFrom('203.0.113.9', shown);
  expect(proxies.has(connection)).toBeInstanceOf(Promise);
  expect(await proxies.has(connection)).toBe(true);
  expect(proxies.has(connection)).toBe(true);
  expect(proxies.has(connectionFrom('203.0.113.9'))).toBe(false);
  // its common name is not its subject
  expect(await trusting('cert:proxy').has(connectionFrom('203.0.113.9', shown))).toBe(false);
  expect(await trusting('cert:other.example', '10.0.0.0/8').has(connectionFrom('203.0.113.9', shown))).toBe(false);
});

test('one whose certificate cannot be read, or has expired, is known no more', async () => {
  const later = new ManualClock();
  const proxies = new TrustedProxies(['cert:proxy.example'], new CertificateCallers(later));
  const connection = connectionFrom(undefined, shown);
  expect(await proxies.has(connection)).toBe(true);
  later.advance(61_000);
  expect(proxies.has(connection)).toBe(false);
  expect(await proxies.has(connectionFrom(undefined, shown))).toBe(false);
  expect(await trusting('cert:proxy.example').has({ address: undefined, chain: [new Uint8Array(3)] })).toBe(false);
});

test.each([
  ['10.0.0.0/8', true],
  ['::1', true],
  ['cert:spiffe://x/proxy', true],
  ['cert:', false],
  ['proxy.example', false],
  ['0.0.0.0/0', false],
  ['*', false],
])('%s may be listed: %s', (entry, isFine) => {
  expect(isProxyEntry(entry)).toBe(isFine);
});
