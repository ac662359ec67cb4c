/** Every way to make a token that is not one: refused, with no part of it or of a key in any answer or event. */
import { createHmac } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { issueKey, json, startTokenIssuer } from '../support/token-issuer.ts';
import type { IssuedKey, TokenIssuer } from '../support/token-issuer.ts';
import { startUpstream } from '../support/tls-upstream.ts';
import type { TestUpstream } from '../support/tls-upstream.ts';

type Fields = Readonly<Record<string, unknown>>;

const own = await issueKey('RS256', 'own');
const attacker = await issueKey('RS256', 'own');
const published = await exportSPKI((await generateKeyPair('RS256')).publicKey);
const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** Issuers by what is wrong with them. */
const issuers = new Map<string, TokenIssuer>();
/** Where headers of forged tokens point to; nobody may come. */
let trap: TestUpstream;
let gateway: TestGateway;
const answers: string[] = [];
const secrets = new Set<string>();

const issuerOf = (name: string): TokenIssuer => {
  const issuer = issuers.get(name);
  if (issuer === undefined) throw new Error(`there is no issuer ${name}`);
  return issuer;
};
const FAULTS = ['slow', 'endless', 'redirecting', 'secret', 'private', 'renamed', 'elsewhere', 'nonsense', 'failing'];

beforeAll(async () => {
  trap = await startUpstream();
  for (const name of ['good', 'other', 'down', ...FAULTS]) issuers.set(name, await startTokenIssuer());
  await issuerOf('down').close();
  for (const [name, how] of Object.entries(faults)) issuerOf(name).answer(how(issuerOf(name)), pathOf[name] ?? '/keys');
  issuerOf('secret').publish({ kty: 'oct', kid: 'first', k: Buffer.from('s'.repeat(32)).toString('base64url') });
  issuerOf('private').publish(issuerOf('private').key.privateJwk);
  gateway = await startGateway({
    settings: {
      // nobody is slowed down for failing often
      POSTERN_LIMITS: 'failures=10000/second',
      JWT_ALGORITHM: 'RS256',
      JWT_PRIVATE_KEY_PATH: JSON.stringify(own.privateJwk),
      JWT_PUBLIC_KEY_PATH: published,
      POSTERN_TRUSTED_ISSUERS: [...issuers.values()].map(({ issuer }) => issuer).join(),
    },
    // what waits five seconds for an issuer waits one
    wrapPlatform: (platform) => ({
      ...platform,
      clock: {
        nowMs: () => platform.clock.nowMs(),
        monotonicMs: () => platform.clock.monotonicMs(),
        after: (delayMs, task) => platform.clock.after(delayMs === 5_000 ? 1_000 : delayMs, task),
      },
    }),
  });
});
afterAll(async () => {
  await gateway.close();
  for (const [name, issuer] of issuers) if (name !== 'down') await issuer.close();
  await trap.close();
});

const METADATA = '/.well-known/oauth-authorization-server';
const pathOf: Readonly<Record<string, string>> = { renamed: METADATA, elsewhere: METADATA };
const faults: Readonly<Record<string, (issuer: TokenIssuer) => (request: unknown, response: ServerResponse) => void>> =
  {
    slow: () => () => undefined,
    endless: () => (_request, response) => {
      const write = (): void => {
        while (!response.destroyed && response.write(' '.repeat(65_536)));
        if (!response.destroyed) response.once('drain', write);
      };
      write();
    },
    redirecting: () => (_request, response) =>
      void response.writeHead(302, { location: trap.origin('127.0.0.1') }).end(),
    renamed:
      ({ issuer }) =>
      (_request, response) =>
        json(response, { issuer: `${issuer}/`, jwks_uri: `${issuer}/keys` }),
    elsewhere:
      ({ issuer }) =>
      (_request, response) =>
        json(response, { issuer, jwks_uri: 'file:///etc/passwd' }),
    nonsense: () => (_request, response) => void response.end('<html>'),
    failing: () => (_request, response) => void response.writeHead(500).end(),
  };

const base64Url = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const usual = (): Fields => ({ sub: 'ann', role: 'admin', iss: 'postern', aud: 'postern', exp: nowSeconds() + 60 });

/** A token with claims and header of choice, by default good. */
const signed = (claims: Fields = {}, header: Fields = {}, key: IssuedKey = own): Promise<string> =>
  new SignJWT({ ...usual(), ...claims })
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, ...header })
    .sign(key.privateKey, { crit: { 'postern-made-up': true } });

/** One whose parts are written by hand, signed by the right key. */
async function written(header: string, claims: string): Promise<string> {
  const input = `${base64Url(header)}.${base64Url(claims)}`;
  const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', own.privateKey, Buffer.from(input));
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
}

/** Signed as a secret both sides know, with what everybody knows. */
function withPublicKey(secret: string, claims: Fields = usual()): string {
  const input = `${base64Url({ alg: 'HS256', typ: 'JWT' })}.${base64Url(claims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

const foreign = (name: string, claims: Fields = {}, key?: IssuedKey): Promise<string> =>
  issuerOf(name).sign(claims, key ? { key } : {});
const trapUrl = (): string => `${trap.origin('127.0.0.1')}/keys`;
const HEADER = JSON.stringify({ alg: 'RS256', kid: 'own' });

const FORGED: readonly (readonly [string, () => string | Promise<string>, number?])[] = [
  ['no algorithm', () => `${base64Url({ alg: 'none' })}.${base64Url(usual())}.`],
  ['no algorithm, spelt otherwise', () => `${base64Url({ alg: 'nOnE' })}.${base64Url(usual())}.`],
  [
    'no algorithm and a signature',
    async () => `${base64Url({ alg: 'none' })}.${(await signed()).split('.', 3).slice(1).join('.')}`,
  ],
  ['no signature', async () => `${(await signed()).split('.').slice(0, 2).join('.')}.`],
  ['the public PEM as secret', () => withPublicKey(published)],
  ['the public PEM without its last line break as secret', () => withPublicKey(published.trim())],
  ['the public JWK as secret', () => withPublicKey(JSON.stringify(own.publicJwk))],
  ['the modulus as secret', () => withPublicKey(own.publicJwk.n ?? '')],
  ['an empty secret', () => withPublicKey('')],
  ['another key of the same name', () => signed({}, {}, attacker)],
  ['another algorithm of the same key', () => `${base64Url({ alg: 'PS256', kid: 'own' })}.${base64Url(usual())}.AAAA`],
  ['other claims', async () => (await signed()).replace(/\.[^.]+\./, `.${base64Url({ ...usual(), sub: 'eve' })}.`)],
  ['another audience', () => signed({ aud: 'other' })],
  ['no audience', () => signed({ aud: undefined })],
  ['another issuer', () => signed({ iss: 'other' })],
  ['an issuer that is no text', () => signed({ iss: ['postern'] })],
  ['an expiry that is over', () => signed({ exp: nowSeconds() - 1 })],
  ['no expiry', () => signed({ exp: undefined })],
  ['an expiry that is no number', () => signed({ exp: '9999999999' })],
  ['a beginning to come', () => signed({ nbf: nowSeconds() + 60 })],
  ['a kid that is a path', () => signed({}, { kid: '../../../../dev/null' }, attacker)],
  ['a kid that is SQL', () => signed({}, { kid: "x' UNION SELECT 'secret' --" }, attacker)],
  ['a kid that is a URL', () => signed({}, { kid: trapUrl() }, attacker)],
  ['a kid that is a command', () => signed({}, { kid: '|sleep 10' }, attacker)],
  ['a kid that is huge', () => signed({}, { kid: 'k'.repeat(4096) })],
  ['a kid that is no text', () => signed({}, { kid: { $ne: null } })],
  ['a kid of an object', () => signed({}, { kid: '__proto__' }, attacker)],
  ['a jku', () => signed({}, { jku: trapUrl() }, attacker)],
  ['an x5u', () => signed({}, { x5u: trapUrl() }, attacker)],
  ['a jwk', () => signed({}, { jwk: attacker.publicJwk }, attacker)],
  ['an x5c', () => signed({}, { x5c: ['AAAA'] }, attacker)],
  ['a critical header', () => signed({}, { crit: ['postern-made-up'], 'postern-made-up': true })],
  [
    'a critical header that is not there',
    () => written(JSON.stringify({ alg: 'RS256', kid: 'own', crit: ['exp'] }), JSON.stringify(usual())),
  ],
  [
    'an unencoded payload',
    () => written(JSON.stringify({ alg: 'RS256', kid: 'own', b64: false, crit: ['b64'] }), JSON.stringify(usual())),
  ],
  ['a claim twice', () => written(HEADER, `${JSON.stringify(usual()).slice(0, -1)},"sub":"eve"}`)],
  [
    'a claim twice, spelt otherwise',
    () => written(HEADER, `${JSON.stringify(usual()).slice(0, -1)},"\\u0073ub":"eve"}`),
  ],
  ['an algorithm twice', () => written('{"alg":"none","kid":"own","alg":"RS256"}', JSON.stringify(usual()))],
  ['claims that are a list', () => written(HEADER, '[]')],
  ['claims that are no JSON', () => written(HEADER, '{')],
  ['five parts', async () => `${await signed()}.AAAA.AAAA`],
  ['a blank in it', async () => (await signed()).replace('.', '. ')],
  ['16 KiB', () => signed({ filler: 'f'.repeat(12_300) })],
  ['an unknown issuer', () => signed({ iss: 'https://issuer.example.com' }, {}, attacker)],
  ['an issuer with one slash more', () => foreign('good', { iss: `${issuerOf('good').issuer}/` })],
  ['a trusted issuer, signed by us', () => signed({ iss: issuerOf('good').issuer })],
  ['a trusted issuer, signed by another one', () => foreign('good', {}, issuerOf('other').key)],
  ['us, signed by a trusted issuer', () => foreign('good', { iss: 'postern' })],
  [
    'a trusted issuer, and its public key as secret',
    () => withPublicKey(JSON.stringify(issuerOf('good').key.publicJwk), { ...usual(), iss: issuerOf('good').issuer }),
  ],
  ['a trusted issuer, for somebody else', () => foreign('good', { aud: 'https://elsewhere.example.com/mcp' })],
  ['a trusted issuer, for another address', () => foreign('good', { aud: `${gateway.url}/servers/x/mcp` })],
  ['a trusted issuer, expired', () => foreign('good', { exp: nowSeconds() - 31 })],
  ['a trusted issuer, to come', () => foreign('good', { nbf: nowSeconds() + 40 })],
  ['a trusted issuer, without expiry', () => foreign('good', { exp: undefined })],
  ['a trusted issuer, bound to a key', () => foreign('good', { cnf: { jkt: 'x' } })],
  ['a trusted issuer, a kid nobody knows', () => foreign('good', {}, { ...issuerOf('good').key, kid: 'unknown' })],
  [
    'an issuer that publishes a secret',
    () => withPublicKey('s'.repeat(32), { ...usual(), iss: issuerOf('secret').issuer }),
  ],
  ['an issuer that publishes a private key', () => foreign('private')],
  ['an issuer that is down', () => foreign('down'), 503],
  ['an issuer that does not answer', () => foreign('slow'), 503],
  ['an issuer whose answer does not end', () => foreign('endless'), 503],
  ['an issuer that redirects', () => foreign('redirecting'), 503],
  ['an issuer that calls itself otherwise', () => foreign('renamed'), 503],
  ['an issuer whose keys are in a file', () => foreign('elsewhere'), 503],
  ['an issuer that answers something else', () => foreign('nonsense'), 503],
  ['an issuer that fails', () => foreign('failing'), 503],
];

const PING = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });

async function ask(token: string, path = '/mcp'): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: '*/*' };
  const answer = await fetch(
    gateway.url + path,
    path === '/mcp' ? { method: 'POST', headers, body: PING } : { headers },
  );
  answers.push(`${JSON.stringify([...answer.headers])} ${await answer.text()}`);
  for (const part of token.split('.')) if (part.length > 20) secrets.add(part);
  return answer.status;
}

test('what is not forged is taken, so that the others are refused for what they are', async () => {
  expect(await ask(await signed())).toBe(200);
  expect(await ask(await signed({}, { kid: undefined }))).toBe(200);
  expect(await ask(await foreign('good'))).toBe(200);
  expect(await ask(await foreign('good', { aud: ['x', `${gateway.url}/mcp`] }))).toBe(200);
  expect(await ask(await foreign('good', { exp: nowSeconds() - 10, nbf: nowSeconds() + 10 }))).toBe(200);
});

const CASES = FORGED.map(([name, make, status = 401]) => ({ name, make, status }));
test.each(CASES)('with $name it is refused', async ({ make, status }) => {
  const token = await make();
  expect([await ask(token), await ask(token, '/v1/gateways')]).toEqual([status, status]);
});

test('one of 64 KiB is refused, by the listener and by what is behind it', async () => {
  const token = await signed({ filler: 'f'.repeat(48 * 1024) });
  expect(await ask(token)).toBe(431);
  const headers = { authorization: `Bearer ${token}`, host: 'localhost' };
  const answer = await gateway.gateway.fetch(new Request('http://localhost/v1/gateways', { headers }));
  expect([answer.status, await answer.json()]).toMatchObject([
    401,
    { message: expect.stringContaining('longer than') },
  ]);
});

test('nobody is an admin by the word of another issuer', async () => {
  expect(await ask(await foreign('good', { role: 'admin' }), '/v1/gateways')).toBe(403);
});

test('the operator is told what is wrong with each issuer', () => {
  const codes = gateway.events.flatMap(({ name, fields }) =>
    name === 'issuer.failed' && 'issuer' in fields && 'code' in fields ? [[fields.issuer, fields.code] as const] : [],
  );
  const codeOf = new Map<string | undefined, string>(codes);
  expect(['down', ...FAULTS].map((name) => [name, codeOf.get(issuerOf(name).issuer)])).toEqual([
    ['down', 'tcp_refused'],
    ['slow', 'upstream_timeout'],
    ['endless', 'upstream_too_large'],
    ['redirecting', 'upstream_redirect'],
    ['secret', undefined],
    ['private', undefined],
    ['renamed', 'upstream_protocol'],
    ['elsewhere', 'upstream_protocol'],
    ['nonsense', 'upstream_protocol'],
    ['failing', 'upstream_http_status'],
  ]);
});

test('nothing of tokens and keys was told, each refusal was, and nobody was led elsewhere', () => {
  const keys = [own, attacker, ...[...issuers.values()].map(({ key }) => key)];
  for (const { privateJwk, publicJwk } of keys)
    for (const part of [privateJwk.d, publicJwk.n, publicJwk.x, published]) if (part) secrets.add(part);
  const told = answers.join('\n') + JSON.stringify(gateway.events);
  expect([...secrets].filter((secret) => told.includes(secret))).toEqual([]);
  expect(told).not.toContain('PRIVATE KEY');
  expect(gateway.countOf('caller.refused')).toBe(FORGED.length * 2 + 1);
  expect(trap.connections).toBe(0);
});
