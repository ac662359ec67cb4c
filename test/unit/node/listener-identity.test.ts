import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../adapters/node/clock.ts';
import { namesOf, urlOf } from '../../../adapters/node/listener/address.ts';
import { readListenerIdentity } from '../../../adapters/node/listener/identity.ts';
import { openKey } from '../../../adapters/node-compat/open-key.ts';
import { toGatewayError } from '../../../src/base/errors.ts';
import { parseConfig } from '../../../src/config.ts';
import { keyForm, mintPki } from '../../support/pki.ts';
import type { MintedCa, MintOptions } from '../../support/pki.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

const HOUR_MS = 3_600_000;
let folder: Awaited<ReturnType<typeof makeTempFolder>>;
let ca: MintedCa;
beforeAll(async () => {
  folder = await makeTempFolder();
  ca = await (await mintPki()).ca('listener CA');
});
afterAll(() => folder.remove());

async function write(name: string, text: string): Promise<string> {
  const path = join(folder.path, name);
  await writeFile(path, text);
  return path;
}

const read = (environment: Readonly<Record<string, string>>) =>
  readListenerIdentity(parseConfig({ environment }).values, openKey, systemClock);

async function codeOf(environment: Readonly<Record<string, string>>): Promise<string> {
  const error = await read(environment).then(
    () => undefined,
    (error: unknown) => toGatewayError(error),
  );
  expect(`${error?.message} ${error?.hint} ${String(error?.cause)}`).not.toContain('sesame');
  return error?.code ?? 'accepted';
}

test('without a certificate file there is no TLS', async () => {
  expect(await read({})).toBeUndefined();
});

test.each<[string, Partial<MintOptions>]>([
  ['certificate_expired', { notAfter: new Date(Date.now() - HOUR_MS), notBefore: new Date(0) }],
  ['certificate_not_yet_valid', { notBefore: new Date(Date.now() + HOUR_MS) }],
  ['certificate_wrong_purpose', { eku: 'client' }],
  ['accepted', { eku: 'none' }],
])('%s', async (code, options) => {
  const { bundlePem } = await ca.issue({ cn: 'gateway', eku: 'server', ...options });
  expect(await codeOf({ CERT_FILE: await write(`${code}.pem`, bundlePem) })).toBe(code);
});

test('chain, key and passphrase are checked, and never repeated', async () => {
  const { certPem, keyPem } = await ca.issue({ cn: 'gateway', eku: 'server' });
  const stranger = await ca.issue({ cn: 'other' });
  const cert = await write('cert.pem', certPem);
  const key = await write('key.pem', keyForm(keyPem, { passphrase: 'open sesame' }));
  const passphrase = await write('passphrase', 'open sesame\n');
  const code = (env: Readonly<Record<string, string>>) => codeOf({ CERT_FILE: cert, KEY_FILE: key, ...env });
  expect(await code({ POSTERN_TLS_KEY_PASSWORD_FILE: passphrase })).toBe('accepted');
  expect(await code({ KEY_FILE_PASSWORD: 'open sesame' })).toBe('accepted');
  expect(await code({ KEY_FILE_PASSWORD: 'sesame open' })).toBe('key_passphrase_wrong');
  expect(await code({})).toBe('key_passphrase_wrong');
  expect(await code({ KEY_FILE: '' })).toBe('key_missing');
  expect(await code({ KEY_FILE: await write('other.pem', stranger.keyPem) })).toBe('key_mismatch');
  expect(await code({ CERT_FILE: await write('two.pem', certPem + stranger.certPem) })).toBe('chain_broken');
  expect(await code({ CERT_FILE: key })).toBe('certificate_unreadable');
  expect(await code({ CERT_FILE: join(folder.path, 'nowhere.pem') })).toBe('file_refused');
});

test('the printed address is one that answers, under a name the certificate carries', async () => {
  const issued = await ca.issue({
    cn: 'gateway',
    dns: ['localhost', 'gateway.example'],
    ip: ['10.0.0.1'],
    eku: 'server',
  });
  const identity = await read({ CERT_FILE: await write('names.pem', issued.bundlePem) });
  expect(urlOf('0.0.0.0', 1, undefined)).toBe('http://127.0.0.1:1');
  expect(urlOf('::', 1, undefined)).toBe('http://[::1]:1');
  expect(urlOf('[::1]', 1, undefined)).toBe('http://[::1]:1');
  expect(urlOf('localhost', 1, identity)).toBe('https://localhost:1');
  expect(urlOf('127.0.0.1', 1, identity)).toBe('https://localhost:1');
  expect(urlOf('10.0.0.1', 1, identity)).toBe('https://10.0.0.1:1');
  expect(urlOf('10.0.0.2', 1, identity)).toBe('https://10.0.0.2:1');
  expect(namesOf('::1', identity)).toEqual(['[::1]', 'localhost', 'gateway.example', '10.0.0.1']);
});
