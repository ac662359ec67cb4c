import { beforeAll, expect, test } from 'vitest';
import { fromHex, toBase64Url } from '../../../src/base/bytes.ts';
import { createAuthenticator } from '../../../src/identity/authenticator.ts';
import type { Authenticator } from '../../../src/identity/authenticator.ts';
import type { CallerConnection } from '../../../src/identity/credentials.ts';
import { CALLER_SETTINGS, connectionFrom, credentialsOf, signedToken } from '../../support/authentication.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { mintPki } from '../../support/pki.ts';

const clock = new ManualClock();
let authenticator: Authenticator;
let agent: CallerConnection;
let other: CallerConnection;
let thumbprint: string;

beforeAll(async () => {
  authenticator = await createAuthenticator(CALLER_SETTINGS, clock);
  const ca = await (await mintPki()).ca('Callers');
  const options = {
    eku: 'client',
    notBefore: new Date(clock.nowMs() - 60_000),
    notAfter: new Date(clock.nowMs() + 3_600_000),
  } as const;
  const [first, second] = [await ca.issue({ cn: 'agent', ...options }), await ca.issue({ cn: 'other', ...options })];
  [agent, other] = [connectionFrom('192.0.2.1', first), connectionFrom('192.0.2.1', second)];
  thumbprint = toBase64Url(fromHex(first.certificate.facts.sha256));
});

const authenticate = async (authorization: string | undefined, connection?: CallerConnection) =>
  authenticator.authenticate(credentialsOf(authorization, connection));

const bound = (cnf: unknown): Promise<string> => signedToken({ cnf }, clock);

test('a client certificate alone says who calls, and a token says more than it', async () => {
  expect(await authenticate(undefined, agent)).toMatchObject({ subject: 'agent', role: 'user', method: 'certificate' });
  const token = await signedToken({ role: 'admin' }, clock);
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
