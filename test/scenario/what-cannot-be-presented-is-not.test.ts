/** The listener's files go wrong on disk: what serves goes on serving, the log says why, and what is right again is taken. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTlsPostern } from '../support/tls-postern.ts';
import type { TlsPostern } from '../support/tls-postern.ts';

const DAY_MS = 86_400_000;
let gateway: TlsPostern;
let serving: string;
beforeAll(async () => {
  gateway = await startTlsPostern({ args: ['--tls-cert', 'cert.pem', '--tls-key', 'key.pem'], pair: 'before' });
  serving = 'before';
});
afterAll(() => gateway?.close());

const past = { notBefore: new Date(Date.now() - 2 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) };
test.each<[string, string, () => Promise<{ readonly cert?: string | undefined; readonly key?: string | undefined }>]>([
  ['a broken certificate', 'certificate_unreadable', async () => ({ cert: 'no certificate at all\n' })],
  ['a certificate of another key', 'key_mismatch', async () => ({ cert: (await gateway.issue('stranger')).certPem })],
  ['a key of another certificate', 'key_mismatch', async () => ({ key: (await gateway.issue('stranger')).keyPem })],
  [
    'half a certificate',
    'certificate_unreadable',
    async () => ({ cert: (await gateway.issue('half')).certPem.slice(0, 300) }),
  ],
  ['half a key', 'key_unreadable', async () => ({ key: (await gateway.issue('half')).keyPem.slice(0, 100) })],
  ['an empty file', 'certificate_unreadable', async () => ({ cert: '' })],
  ['a certificate that is gone', 'file_refused', async () => ({ cert: undefined })],
  ['a key that is gone', 'file_refused', async () => ({ key: undefined })],
  [
    'an expired certificate',
    'certificate_expired',
    async () => {
      const { certPem, keyPem } = await gateway.issue('expired', past);
      return { cert: certPem, key: keyPem };
    },
  ],
  [
    'a certificate for clients',
    'certificate_wrong_purpose',
    async () => {
      const { certPem, keyPem } = await gateway.issue('client', { eku: 'client' });
      return { cert: certPem, key: keyPem };
    },
  ],
])('%s', async (what, code, breakIt) => {
  const broken = await breakIt();
  const before = gateway.process.stderr().length;
  if ('cert' in broken) await gateway.write('cert.pem', broken.cert);
  if ('key' in broken) await gateway.write('key.pem', broken.key);
  gateway.process.signal('SIGHUP');
  const kept = () =>
    gateway.process
      .stderr()
      .slice(before)
      .split('\n')
      .filter((line) => line.includes('"listener.kept"'));
  await expect.poll(() => kept().at(-1)).toContain(`"code":"${code}"`);
  expect(kept().at(-1)).toMatch(/"level":"error".*(?:cert|key)\.pem/);
  expect(await gateway.presented()).toBe(serving);
  expect(await gateway.echo(what)).toBe(what);

  const { certPem, keyPem } = await gateway.issue(`after ${what}`);
  await gateway.write('cert.pem', certPem);
  await gateway.write('key.pem', keyPem);
  gateway.process.signal('SIGHUP');
  serving = `after ${what}`;
  await expect.poll(() => gateway.presented()).toBe(serving);
});
