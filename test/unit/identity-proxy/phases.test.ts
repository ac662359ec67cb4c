/** The table of `CallerSettings`, one test a row. */
import { beforeAll, expect, test } from 'vitest';
import { fromHex, toBase64Url } from '../../../src/base/bytes.ts';
import { createAuthenticator } from '../../../src/identity/authenticator.ts';
import type { Authenticator, CallerSettings } from '../../../src/identity/authenticator.ts';
import type { CallerConnection } from '../../../src/identity/credentials.ts';
import { CALLER_SETTINGS, connectionFrom, signedToken } from '../../support/authentication.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { mintPki } from '../../support/pki.ts';
import type { MintedCertificate } from '../../support/pki.ts';

const clock = new ManualClock();
const settings: CallerSettings = { ...CALLER_SETTINGS, proxyUserHeader: 'X-SSL-Client-S-DN-CN' };
const NEAR = '127.0.0.1';
const FAR = '203.0.113.9';
const SAID = { 'x-ssl-client-s-dn-cn': 'ann', 'x-ssl-client-verify': 'SUCCESS' };

let token: { authorization: string };
let ann: MintedCertificate;
let proxy: MintedCertificate;
beforeAll(async () => {
  token = { authorization: `Bearer ${await signedToken({ sub: 'tim', role: 'admin' }, clock)}` };
  const ca = await (await mintPki()).ca('Callers');
  const validity = { notBefore: new Date(clock.nowMs() - 1000), notAfter: new Date(clock.nowMs() + 60_000) };
  [ann, proxy] = [await ca.issue({ cn: 'ann', ...validity }), await ca.issue({ cn: 'proxy', ...validity })];
});

type Request = readonly [headers: Readonly<Record<string, string>>, connection: CallerConnection | undefined];

/** The subject and how it was recognised, or why nobody was. */
async function outcome(
  method: 'authenticate' | 'authenticateOperator',
  authenticator: Authenticator,
  [headers, connection]: Request,
): Promise<string> {
  try {
    const principal = await authenticator[method]({ headers: new Headers(headers), connection });
    return `${principal.subject} ${principal.role} by ${principal.method}`;
  } catch (error) {
    return (error as Error).message;
  }
}

const NOBODY = 'expected a bearer token or a client certificate, met neither';
const NO_TOKENS = 'tokens are not taken for MCP here';
const TIM = 'tim admin by token';

async function who(changed: Partial<CallerSettings>, requests: Readonly<Record<string, Request>>) {
  const authenticator = await createAuthenticator({ ...settings, ...changed }, clock);
  const seen: Record<string, string> = {};
  for (const [name, request] of Object.entries(requests))
    seen[name] = await outcome('authenticate', authenticator, request);
  return seen;
}

const requests = (): Readonly<Record<string, Request>> => ({
  token: [token, connectionFrom(FAR)],
  'bad token': [{ authorization: 'Bearer x' }, connectionFrom(NEAR)],
  'bad token and proxy': [{ ...SAID, authorization: 'Bearer x' }, connectionFrom(NEAR)],
  certificate: [{}, connectionFrom(FAR, ann)],
  proxy: [SAID, connectionFrom(NEAR)],
  'proxy and token': [{ ...SAID, ...token }, connectionFrom(NEAR)],
  'proxy that says nothing': [{}, connectionFrom(NEAR)],
  'proxy with a certificate': [SAID, connectionFrom(NEAR, proxy)],
  'proxy with a certificate that says nothing': [{}, connectionFrom(NEAR, proxy)],
  stranger: [SAID, connectionFrom(FAR)],
  'stranger with a certificate': [{ ...SAID, 'x-ssl-client-s-dn-cn': 'bob' }, connectionFrom(FAR, ann)],
  nobody: [SAID, undefined],
});

test('phase 1: tokens; a proxy may stand before the gateway, and is not believed', async () => {
  const seen = await who({}, requests());
  expect(seen).toMatchObject({
    token: TIM,
    certificate: 'ann user by certificate',
    proxy: NOBODY,
    'proxy and token': TIM,
    'proxy that says nothing': NOBODY,
    stranger: NOBODY,
    'stranger with a certificate': 'ann user by certificate',
    nobody: NOBODY,
  });
  expect(seen['bad token']).not.toContain('by');
});

test('phase 1, the proxy listed already: its own certificate is nobody', async () => {
  for (const trustedProxies of [['127.0.0.0/8'], ['cert:proxy']]) {
    const seen = await who({ trustedProxies }, requests());
    expect([seen['proxy with a certificate'], seen['proxy with a certificate that says nothing']]).toEqual([
      NOBODY,
      NOBODY,
    ]);
    expect([seen['token'], seen['certificate']]).toEqual([TIM, 'ann user by certificate']);
  }
});

test('phases 2 and 3: both; who sends a token is who the token says', async () => {
  const seen = await who({ trustProxyAuth: true }, requests());
  expect(seen).toMatchObject({
    token: TIM,
    certificate: 'ann user by certificate',
    proxy: 'ann user by proxy',
    'proxy and token': TIM,
    'proxy that says nothing': NOBODY,
    'proxy with a certificate': 'ann user by proxy',
    'proxy with a certificate that says nothing': NOBODY,
    stranger: NOBODY,
    'stranger with a certificate': 'ann user by certificate',
    nobody: NOBODY,
  });
  expect(seen['bad token and proxy']).not.toContain(' by ');
});

test('phase 4: certificates; a token is refused, also beside one', async () => {
  expect(await who({ trustProxyAuth: true, clientAuthEnabled: false }, requests())).toEqual({
    token: NO_TOKENS,
    'bad token': NO_TOKENS,
    'bad token and proxy': NO_TOKENS,
    certificate: 'ann user by certificate',
    proxy: 'ann user by proxy',
    'proxy and token': NO_TOKENS,
    'proxy that says nothing': NOBODY,
    'proxy with a certificate': 'ann user by proxy',
    'proxy with a certificate that says nothing': NOBODY,
    stranger: NOBODY,
    'stranger with a certificate': 'ann user by certificate',
    nobody: NOBODY,
  });
});

test('without proxy and tokens, certificates', async () => {
  const seen = await who({ clientAuthEnabled: false }, requests());
  expect(seen).toMatchObject({
    token: NO_TOKENS,
    certificate: 'ann user by certificate',
    proxy: NOBODY,
    stranger: NOBODY,
  });
});

test('administration takes tokens in all of them, and a caller behind a proxy is a user there', async () => {
  for (const clientAuthEnabled of [true, false])
    for (const trustProxyAuth of [true, false]) {
      const authenticator = await createAuthenticator({ ...settings, clientAuthEnabled, trustProxyAuth }, clock);
      expect(await outcome('authenticateOperator', authenticator, [token, connectionFrom(FAR)])).toBe(TIM);
      const behind = await outcome('authenticateOperator', authenticator, [SAID, connectionFrom(NEAR)]);
      expect(behind).toBe(trustProxyAuth ? 'ann user by proxy' : NOBODY);
    }
});

test('a proxy that is known by its certificate is believed, and is not the caller', async () => {
  const trusting = { trustProxyAuth: true, trustedProxies: ['cert:proxy'] };
  expect(
    await who(trusting, {
      says: [SAID, connectionFrom(FAR, proxy)],
      'says nothing': [{}, connectionFrom(FAR, proxy)],
      'another certificate': [SAID, connectionFrom(FAR, ann)],
      'no certificate': [SAID, connectionFrom(FAR)],
      'near, but not listed': [SAID, connectionFrom(NEAR)],
    }),
  ).toEqual({
    says: 'ann user by proxy',
    'says nothing': NOBODY,
    'another certificate': 'ann user by certificate',
    'no certificate': NOBODY,
    'near, but not listed': NOBODY,
  });
});

test('who is believed, is asked for each connection', async () => {
  const trusting = await createAuthenticator({ ...settings, trustProxyAuth: true }, clock);
  expect([connectionFrom(NEAR), connectionFrom(FAR), undefined].map((one) => trusting.believes(one))).toEqual([
    true,
    false,
    false,
  ]);
  const wary = await createAuthenticator({ ...settings, trustedProxies: ['127.0.0.1'] }, clock);
  expect(wary.believes(connectionFrom(NEAR))).toBe(false);
  const open = await createAuthenticator({ ...settings, trustProxyAuth: true, authRequired: false }, clock);
  expect(open.believes(connectionFrom(NEAR))).toBe(false);
});

test('a token that is bound to a certificate is held to the one the proxy hands on', async () => {
  const thumbprint = toBase64Url(fromHex(ann.certificate.facts.sha256));
  const bound = await signedToken({ sub: 'eve', cnf: { 'x5t#S256': thumbprint } }, clock);
  const authorization = `Bearer ${bound}`;
  const handing = ({ certPem }: MintedCertificate) => ({
    authorization,
    'x-ssl-client-cert': encodeURIComponent(certPem),
    'x-ssl-client-verify': 'SUCCESS',
  });
  const trusting = { trustProxyAuth: true, proxyUserHeader: 'X-SSL-Client-Cert' };
  const seen = await who(trusting, {
    ours: [handing(ann), connectionFrom(NEAR)],
    'of another': [handing(proxy), connectionFrom(NEAR)],
    none: [{ authorization }, connectionFrom(NEAR)],
    'of a stranger': [handing(ann), connectionFrom(FAR)],
    'of the proxy': [{ authorization }, connectionFrom(NEAR, ann)],
    own: [{ authorization }, connectionFrom(FAR, ann)],
  });
  const elsewhere = 'the token is bound to a client certificate that this connection lacks';
  expect(seen).toEqual({
    ours: 'eve user by token',
    'of another': elsewhere,
    none: elsewhere,
    'of a stranger': elsewhere,
    'of the proxy': elsewhere,
    own: 'eve user by token',
  });
});

test('whether a certificate was shown, itself or to a proxy, is known beside a token too', async () => {
  const shownBy = async (changed: Partial<CallerSettings>, [headers, connection]: Request) => {
    const authenticator = await createAuthenticator({ ...settings, ...changed }, clock);
    return authenticator.certifies({ headers: new Headers(headers), connection });
  };
  const trusting = { trustProxyAuth: true };
  const both = { ...SAID, ...token };
  expect(await shownBy({}, [token, connectionFrom(FAR)])).toBe(false);
  expect(await shownBy({}, [token, connectionFrom(FAR, ann)])).toBe(true);
  expect(await shownBy({}, [both, connectionFrom(NEAR)])).toBe(false);
  expect(await shownBy(trusting, [both, connectionFrom(NEAR)])).toBe(true);
  expect(await shownBy(trusting, [both, connectionFrom(FAR)])).toBe(false);
  // that of the proxy is nobody's behind it
  expect(await shownBy(trusting, [token, connectionFrom(NEAR, proxy)])).toBe(false);
  expect(await shownBy({ authRequired: false }, [{}, connectionFrom(FAR, ann)])).toBe(true);
  expect(await shownBy({ authRequired: false }, [{}, undefined])).toBe(false);
});
