import { SignJWT } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { fromHex, toBase64Url } from '../../../src/base/bytes.ts';
import { Secret } from '../../../src/base/secret.ts';
import { createAuthenticator } from '../../../src/identity/authenticator.ts';
import type { Authenticator, CallerSettings } from '../../../src/identity/authenticator.ts';
import type { CallerConnection } from '../../../src/identity/credentials.ts';
import { importTokenKey, mintToken } from '../../../src/identity/token.ts';
import type { TokenKey } from '../../../src/identity/token.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { mintPki } from '../../support/pki.ts';
import type { MintedCertificate } from '../../support/pki.ts';

const settings: CallerSettings = {
  jwtSecretKey: new Secret('k'.repeat(64)),
  jwtAlgorithm: 'HS256',
  jwtIssuer: 'postern',
  jwtAudience: 'postern',
  authRequired: true,
  clientAuthEnabled: true,
  trustProxyAuth: false,
  proxyUserHeader: 'X-Authenticated-User',
  trustedProxies: undefined,
};
const clock = new ManualClock();
let key: TokenKey;
let authenticator: Authenticator;
let agent: CallerConnection;
let other: CallerConnection;
let thumbprint: string;

beforeAll(async () => {
  key = await importTokenKey(settings);
  authenticator = await createAuthenticator(settings, clock);
  const ca = await (await mintPki()).ca('Callers');
  const options = {
    eku: 'client',
    notBefore: new Date(clock.nowMs() - 60_000),
    notAfter: new Date(clock.nowMs() + 3_600_000),
  } as const;
  const [first, second] = [await ca.issue({ cn: 'agent', ...options }), await ca.issue({ cn: 'other', ...options })];
  [agent, other] = [shown(first), shown(second)];
  thumbprint = toBase64Url(fromHex(first.certificate.facts.sha256));
});

const shown = ({ certificate }: MintedCertificate): CallerConnection => ({
  address: '192.0.2.1',
  chain: [certificate.der],
});

const authenticate = async (authorization: string | undefined, connection?: CallerConnection) =>
  authenticator.authenticate({
    headers: new Headers(authorization === undefined ? {} : { authorization }),
    connection,
  });

function bound(cnf: unknown): Promise<string> {
  const exp = clock.nowMs() / 1000 + 60;
  return new SignJWT({ sub: 'ann', iss: 'postern', aud: 'postern', exp, cnf })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(key.key);
}

test('a client certificate alone says who calls, and a token says more than it', async () => {
  expect(await authenticate(undefined, agent)).toMatchObject({ subject: 'agent', role: 'user', method: 'certificate' });
  const token = await mintToken({ subject: 'ann', role: 'admin', ttlSeconds: 60 }, key, clock);
  expect(await authenticate(`Bearer ${token}`, agent)).toMatchObject({
    subject: 'ann',
    role: 'admin',
    method: 'token',
  });
});

test('a bad token is refused, whatever certificate comes with it', async () => {
  await expect(authenticate('Bearer nonsense', agent)).rejects.toMatchObject({ code: 'unauthenticated' });
  await expect(authenticate('Basic YTpi', agent)).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('without either nobody calls', async () => {
  await expect(authenticate(undefined)).rejects.toMatchObject({ code: 'unauthenticated' });
  await expect(authenticate('')).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('a bound token is taken over connections with its certificate only, remembered or not', async () => {
  const authorization = `Bearer ${await bound({ 'x5t#S256': thumbprint })}`;
  for (let time = 0; time < 2; time++) {
    expect(await authenticate(authorization, agent)).toMatchObject({ subject: 'ann', method: 'token' });
    for (const connection of [other, undefined])
      await expect(authenticate(authorization, connection)).rejects.toThrow('bound to a client certificate');
  }
});

test.each([{ jkt: 'x' }, {}, 'text', null, { 'x5t#S256': 7 }, { 'x5t#S256': 'short' }])(
  'a token that is bound to %o is refused, since that is not looked at',
  async (cnf) => {
    await expect(authenticate(`Bearer ${await bound(cnf)}`, agent)).rejects.toThrow('bound to something other');
  },
);
