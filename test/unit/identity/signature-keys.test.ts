import { exportPKCS8, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { Secret } from '../../../src/base/secret.ts';
import { openSignatureKeys } from '../../../src/identity/signature-keys.ts';
import { SIGNATURE_ALGORITHMS } from '../../../src/identity/token-algorithms.ts';
import type { SignatureAlgorithm } from '../../../src/identity/token-algorithms.ts';
import { TokenVerifier } from '../../../src/identity/token-verifier.ts';
import { importTokenKey, mintToken, openTokenKeys } from '../../../src/identity/token.ts';
import { CALLER_SETTINGS } from '../../support/authentication.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { issueKey } from '../../support/token-issuer.ts';

const clock = new ManualClock();
const settingsFor = (jwtAlgorithm: SignatureAlgorithm, privateText?: string, publicText?: string) => ({
  ...CALLER_SETTINGS,
  jwtAlgorithm,
  jwtPrivateKeyPath: privateText === undefined ? undefined : new Secret(privateText),
  jwtPublicKeyPath: publicText,
});
const request = { subject: 'ann', role: 'user', ttlSeconds: 60 } as const;

test.each(SIGNATURE_ALGORITHMS)('%s signs with the private key and verifies with the public one', async (algorithm) => {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const [privatePem, publicPem] = [await exportPKCS8(pair.privateKey), await exportSPKI(pair.publicKey)];
  const settings = settingsFor(algorithm, privatePem);
  const signing = await importTokenKey(settings);
  expect(signing.key.extractable).toBe(false);
  const header = `Bearer ${await mintToken(request, signing, clock)}`;
  for (const own of [settings, settingsFor(algorithm, undefined, publicPem)]) {
    const { verifying } = await openTokenKeys(own);
    expect(verifying.map(({ kid }) => kid)).toEqual([signing.kid]);
    expect(await new TokenVerifier(verifying, clock).callerOf(header)).toMatchObject({ principal: { subject: 'ann' } });
  }
  await expect(importTokenKey(settingsFor(algorithm, undefined, publicPem))).rejects.toThrow('nothing can be signed');
});

test('a key without a name is named by the thumbprint of RFC 7638', async () => {
  const n =
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
  const [key] = await openSignatureKeys(JSON.stringify({ kty: 'RSA', n, e: 'AQAB' }), 'RS256');
  expect(key).toMatchObject({ kid: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs', privateKey: undefined });
});

test('of a JWK Set the first key signs and all verify, each by its own algorithm', async () => {
  const [first, second] = [await issueKey('ES256', 'new'), await issueKey('EdDSA', 'old')];
  const set = JSON.stringify({ keys: [first.privateJwk, { ...second.privateJwk, alg: 'EdDSA' }] });
  const { signing, verifying } = await openTokenKeys(settingsFor('ES256', set));
  expect(signing).toMatchObject({ kid: 'new', algorithm: 'ES256' });
  expect(verifying.map(({ kid, algorithm }) => [kid, algorithm])).toEqual([
    ['new', 'ES256'],
    ['old', 'EdDSA'],
  ]);
  const verifier = new TokenVerifier(verifying, clock);
  for (const { kid, algorithm, privateKey } of [first, second]) {
    const exp = clock.nowMs() / 1000 + 60;
    // also where the token does not say which
    for (const named of [{ kid }, {}]) {
      const claims = new SignJWT({ sub: kid, iss: 'postern', aud: 'postern', exp });
      const token = await claims.setProtectedHeader({ alg: algorithm, ...named }).sign(privateKey);
      expect((await verifier.callerOf(`Bearer ${token}`)).principal.subject).toBe(kid);
    }
  }
});

test('once its key is gone, a token that was remembered is refused', async () => {
  const [first, second] = [await issueKey('ES256', 'a'), await issueKey('ES256', 'b')];
  const keysOf = async (...keys: object[]) => openTokenKeys(settingsFor('ES256', JSON.stringify({ keys })));
  const { verifying, signing } = await keysOf(first.privateJwk, second.privateJwk);
  const verifier = new TokenVerifier(verifying, clock);
  if (signing === undefined) throw new Error('nothing signs');
  const header = `Bearer ${await mintToken(request, signing, clock)}`;
  await verifier.callerOf(header);
  expect(verifier.callerOf(header)).not.toBeInstanceOf(Promise);
  // one that is under way while keys change is not remembered either
  const other = `Bearer ${await mintToken({ ...request, subject: 'bob' }, signing, clock)}`;
  const underWay = verifier.callerOf(other);
  verifier.use((await keysOf(second.privateJwk)).verifying);
  await underWay;
  for (const gone of [header, other]) await expect(verifier.callerOf(gone)).rejects.toThrow('not signed with a key');
});

const rsa = await generateKeyPair('RS256', { extractable: true });
const spki = await exportSPKI(rsa.publicKey);
const pkcs8 = await exportPKCS8(rsa.privateKey);
const p256 = await issueKey('ES256', 'k');
test.each([
  ['a secret', JSON.stringify({ kty: 'oct', k: 'c2VjcmV0LWNhbmFyeQ' }), 'is a secret that both sides know'],
  ['a curve that is not taken', JSON.stringify({ kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA' }), 'is neither RSA'],
  ['a short RSA key', JSON.stringify({ kty: 'RSA', n: 'canary'.repeat(20), e: 'AQAB' }), 'shorter than 2048 bits'],
  ['half a key', JSON.stringify({ kty: 'EC', crv: 'P-256', x: 'canary' }), 'lacks a part'],
  ['a part that is no number', JSON.stringify({ ...p256.publicJwk, x: '!canary!' }), 'is malformed'],
  ['another algorithm', JSON.stringify({ ...p256.publicJwk, alg: 'HS256' }), 'cannot be used with the alg it names'],
  ['another kind', JSON.stringify(p256.publicJwk), 'cannot be used with RS256', 'RS256'],
  ['a name twice', JSON.stringify({ keys: [p256.publicJwk, p256.publicJwk] }), 'the same kid'],
  ['too many', JSON.stringify({ keys: Array.from({ length: 9 }, () => p256.publicJwk) }), 'more than 8'],
  ['nothing', '{"keys": []}', 'it holds no key'],
  ['no keys', '{"keys": ["canary"]}', 'neither a JWK nor a JWK Set'],
  ['no JSON', '{"canary": ', 'it is not JSON'],
  ['PEM of another kind', spki.replaceAll('PUBLIC KEY', 'RSA PUBLIC KEY'), 'met RSA PUBLIC KEY', 'RS256'],
  ['PEM for another algorithm', spki, 'cannot be used with ES256'],
  ['an encrypted key', pkcs8.replaceAll('PRIVATE', 'ENCRYPTED PRIVATE'), 'met ENCRYPTED PRIVATE KEY', 'RS256'],
] as [string, string, string, SignatureAlgorithm?][])(
  'a file with %s is refused, and not quoted',
  async (_, text, reason, algorithm = 'ES256') => {
    const error = await openSignatureKeys(text, algorithm).catch((thrown: unknown) => thrown);
    if (!(error instanceof GatewayError)) throw new Error('it was taken');
    expect(error.message).toContain(reason);
    const told = `${error.message} ${error.hint} ${JSON.stringify(error.details)} ${String(error.cause)}`;
    expect(told).not.toMatch(/canary|[\w+/-]{30}/);
  },
);

test('a private key where public ones belong is refused, and the setting is named', async () => {
  const text = JSON.stringify(p256.privateJwk);
  await expect(openTokenKeys(settingsFor('ES256', undefined, text))).rejects.toThrow(
    'JWT_PUBLIC_KEY_PATH: it holds a private key',
  );
  await expect(openTokenKeys(settingsFor('ES256', '/nowhere'))).rejects.toThrow('JWT_PRIVATE_KEY_PATH: there are no');
  await expect(openTokenKeys(settingsFor('ES256'))).rejects.toThrow('needs JWT_PRIVATE_KEY_PATH or');
  const { verifying } = await openTokenKeys(settingsFor('ES256', text, JSON.stringify(p256.publicJwk)));
  expect(verifying.length).toBe(1);
  const namesake = JSON.stringify((await issueKey('ES256', 'k')).publicJwk);
  await expect(openTokenKeys(settingsFor('ES256', text, namesake))).rejects.toThrow('another key of the same kid');
});
