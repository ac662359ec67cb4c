import { expect, test } from 'vitest';
import { metadataAddresses } from '../../../src/identity/issuers/discovery.ts';
import { isIssuerUrl } from '../../../src/identity/issuers/issuer-url.ts';

test.each([
  'https://issuer.example.com',
  'https://issuer.example.com/',
  'https://issuer.example.com:8443/tenant/v2.0',
  'http://127.0.0.1:9000',
  'http://[::1]:9000/x',
  'http://localhost',
])('%s may be an issuer', (text) => expect(isIssuerUrl(text)).toBe(true));

test.each([
  'issuer.example.com',
  'http://issuer.example.com',
  'https://issuer.example.com?x=1',
  'https://issuer.example.com/#a',
  'https://user:secret@issuer.example.com',
  'ftp://issuer.example.com',
  'http://127.0.0.1.example.com',
  'https:\\\\issuer.example.com',
  'https://issuer.example.com/a b',
  'file:///etc/passwd',
])('%s may not', (text) => expect(isIssuerUrl(text)).toBe(false));

test.each([
  ['https://a.example', '/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'],
  ['https://a.example/', '/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'],
  ['https://a.example/t/v2', '/.well-known/oauth-authorization-server/t/v2', '/t/v2/.well-known/openid-configuration'],
])('%s describes itself in two places', (issuer, oauth, openid) => {
  expect(metadataAddresses(issuer).map(({ href }) => href)).toEqual([
    `https://a.example${oauth}`,
    `https://a.example${openid}`,
  ]);
});
