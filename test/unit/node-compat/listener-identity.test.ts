import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../adapters/node-compat/clock.ts';
import { namesOf, urlOf } from '../../../adapters/node-compat/listener/address.ts';
import { readListenerIdentity } from '../../../adapters/node-compat/listener/identity.ts';
import { tryOut } from '../../../adapters/node-compat/listener/secure-options.ts';
import { openKey } from '../../../adapters/node-compat/open-key.ts';
import { toGatewayError } from '../../../src/base/errors.ts';
import { Secret } from '../../../src/base/secret.ts';
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

test('client CAs and revocation lists are read where callers are asked for certificates, and errors name the file', async () => {
  const both = await write('both.pem', (await ca.issue({ cn: 'gateway', eku: 'server' })).bundlePem);
  const [caFile, crlFile] = [await write('ca.pem', ca.pem), await write('crl.pem', await ca.crl([]))];
  const nowhere = join(folder.path, 'nowhere.pem');
  const tls = { CERT_FILE: both, CA_CERTS: caFile };
  const message = (environment: Readonly<Record<string, string>>) =>
    read({ ...tls, CERT_REQS: '1', ...environment }).then(String, (error: unknown) => toGatewayError(error).message);
  expect((await read({ ...tls, CA_CERTS: nowhere }))?.callers).toBeUndefined();
  expect((await read({ ...tls, CERT_REQS: '1' }))?.callers).toMatchObject({ isRequired: false, crls: [] });
  expect((await read({ ...tls, CERT_REQS: '2' }))?.callers).toMatchObject({ isRequired: true });
  expect((await read({ ...tls, CERT_REQS: '2', POSTERN_CLIENT_CRL: crlFile }))?.callers?.crls).toHaveLength(1);
  expect(await message({ CA_CERTS: nowhere })).toContain(`${nowhere} is refused: there is no such file`);
  expect(await message({ CA_CERTS: crlFile })).toContain(`${crlFile}: expected a CERTIFICATE block`);
  expect(await message({ POSTERN_CLIENT_CRL: caFile })).toContain(`${caFile}: expected X509 CRL blocks`);
  expect(await message({ CERT_FILE: crlFile })).toContain(`${crlFile}: expected a CERTIFICATE block`);
});

test('nobody is asked for a certificate that the public roots would vouch for', async () => {
  const both = await write('both.pem', (await ca.issue({ cn: 'gateway', eku: 'server' })).bundlePem);
  const { values } = parseConfig({ environment: { CERT_FILE: both } });
  const settings = { ...values, clientAuth: 'required' as const };
  await expect(readListenerIdentity(settings, openKey, systemClock)).rejects.toMatchObject({ code: 'config_invalid' });
});

test('the fingerprint changes with whatever is presented or trusted, and with nothing else', async () => {
  const below = await ca.intermediate('Intermediate');
  const leaf = await below.issue({ cn: 'gateway', eku: 'server' });
  const both = await write('both.pem', leaf.bundlePem);
  const other = await (await mintPki()).ca('other CA');
  const tls = { CERT_FILE: both, CA_CERTS: await write('ca.pem', ca.pem), CERT_REQS: '1' };
  const crl = await write('crl.pem', await ca.crl([]));
  const of = async (environment: Readonly<Record<string, string>>) =>
    (await read({ ...tls, ...environment }))?.fingerprint;
  const shorter = await write('shorter.pem', leaf.certPem + leaf.keyPem);
  const another = await write('another.pem', (await below.issue({ cn: 'gateway', eku: 'server' })).bundlePem);
  const prints = [
    await of({}),
    await of({ CERT_REQS: '0' }),
    await of({ CERT_REQS: '2' }),
    await of({ CERT_FILE: shorter }),
    await of({ CERT_FILE: another }),
    await of({ CA_CERTS: await write('two.pem', ca.pem + other.pem) }),
    await of({ POSTERN_CLIENT_CRL: crl }),
    await of({ POSTERN_CLIENT_CRL: await write('newer.pem', await ca.crl(['01'])) }),
    await of({ POSTERN_TLS_MIN_VERSION: '1.3' }),
  ];
  expect(new Set(prints).size).toBe(prints.length);
  expect(await of({ CERT_FILE: await write('copy.pem', `a remark\n${leaf.bundlePem}`) })).toBe(prints[0]);
});

test('what OpenSSL refuses is refused beforehand', async () => {
  // a key that is not its certificate's stands for all it may refuse
  const [gateway, stranger] = [await ca.issue({ cn: 'gateway' }), await ca.issue({ cn: 'stranger' })];
  const identity = {
    chainPem: gateway.chainPem,
    privateKey: new Secret(stranger.keyPem),
    minVersion: 'TLSv1.2' as const,
    callers: undefined,
  };
  expect(() => tryOut(identity)).toThrow(expect.objectContaining({ code: 'capability_unsupported' }));
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
