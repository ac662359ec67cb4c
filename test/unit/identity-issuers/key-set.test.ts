import { exportJWK, generateKeyPair } from 'jose';
import { expect, test } from 'vitest';
import { keysIn } from '../../../src/identity/issuers/key-set.ts';
import { issueKey } from '../../support/token-issuer.ts';

const good = await issueKey('ES256', 'good');
const rsa = await exportJWK((await generateKeyPair('RS256', { extractable: true })).publicKey);

test('a key is used with the algorithms of its kind, or the one it names', async () => {
  const keys = await keysIn({
    keys: [
      { ...rsa, kid: 'any' },
      { ...rsa, kid: 'one', alg: 'PS256', use: 'sig' },
    ],
  });
  expect(keys.map(({ kid, algorithms }) => [kid, algorithms])).toEqual([
    ['any', ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
    ['one', ['PS256']],
  ]);
});

test.each([
  ['a secret', { kty: 'oct', k: 'c2VjcmV0' }],
  ['a private key', good.privateJwk],
  ['a private RSA key without d', { ...rsa, p: 'AQAB' }],
  ['one for encryption', { ...good.publicJwk, use: 'enc' }],
  ['one for signing only', { ...good.publicJwk, key_ops: ['sign'] }],
  ['one for HMAC', { ...good.publicJwk, alg: 'HS256' }],
  ['one for another kind', { ...good.publicJwk, alg: 'RS256' }],
  ['a short one', { kty: 'RSA', n: 'AQAB', e: 'AQAB' }],
  ['a broken one', { ...good.publicJwk, x: '!' }],
  ['a name of an object', { kty: '__proto__' }],
  ['no key', 'text'],
])('%s is left out, and harms no other', async (_, key) => {
  expect((await keysIn({ keys: [key, good.publicJwk] })).map(({ kid }) => kid)).toEqual(['good']);
});

test.each([undefined, 'text', {}, { keys: 'text' }, { keys: Array.from({ length: 101 }, () => good.publicJwk) }])(
  'what is no key set is refused',
  async (body) => {
    await expect(keysIn(body)).rejects.toMatchObject({ code: 'upstream_protocol' });
  },
);
