import { beforeAll, expect, test } from 'vitest';
import { toBase64, utf8 } from '../../../src/base/bytes.ts';
import { Secret } from '../../../src/base/secret.ts';
import { createAuthenticator } from '../../../src/identity/authenticator.ts';
import type { Authenticator } from '../../../src/identity/authenticator.ts';
import { CALLER_SETTINGS, connectionFrom, credentialsOf } from '../../support/authentication.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const clock = new ManualClock();
let authenticator: Authenticator;
beforeAll(async () => {
  const settings = { ...CALLER_SETTINGS, basicAuthUser: 'root', basicAuthPassword: new Secret('pass:wörd') };
  authenticator = await createAuthenticator(settings, clock);
});

const basic = (text: string): string => `Basic ${toBase64(utf8(text))}`;
const asOperator = async (authorization: string) =>
  authenticator.authenticateOperator(credentialsOf(authorization, connectionFrom('192.0.2.7')));

test('the name and the password are an admin for administration', async () => {
  expect(await asOperator(basic('root:pass:wörd'))).toMatchObject({ subject: 'root', role: 'admin', method: 'basic' });
  expect(await asOperator(basic('root:pass:wörd').replace('Basic', 'bAsIc  '))).toMatchObject({ method: 'basic' });
});

test.each(['root:', 'root:pass', ':pass:wörd', 'Root:pass:wörd', 'root:pass:wörd ', 'root:pass:wördroot:pass:wörd'])(
  '%j is nobody',
  async (text) => {
    await expect(asOperator(basic(text))).rejects.toThrow('the name or the password is wrong');
  },
);

test('what is no base64 is nobody', async () => {
  for (const header of ['Basic ', 'Basic !', 'Basic A', 'Basic =']) await expect(asOperator(header)).rejects.toThrow();
});

test('nobody calls MCP by it, and without settings nobody is anybody', async () => {
  const credentials = credentialsOf(basic('root:pass:wörd'));
  await expect((async () => authenticator.authenticate(credentials))()).rejects.toThrow('type bearer');
  for (const half of [{ basicAuthUser: 'root' }, { basicAuthPassword: new Secret('pass:wörd') }, {}]) {
    const without = await createAuthenticator({ ...CALLER_SETTINGS, ...half }, clock);
    await expect((async () => without.authenticateOperator(credentials))()).rejects.toThrow('type bearer');
  }
});
