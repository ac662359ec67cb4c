import { expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import type { CallerConnection } from '../../../src/identity/credentials.ts';
import { mintPrincipal } from '../../../src/identity/principal.ts';
import { witnessed } from '../../../src/identity/witnessed.ts';
import { recordEvents } from '../../support/recorded-events.ts';

const ann = mintPrincipal({ subject: 'ann', role: 'user', method: 'token', issuer: 'i', claims: { team: 'sales' } });
const bob = mintPrincipal({ subject: 'bob', role: 'admin', method: 'token' });
const headers = new Headers();
const connection = (address: string) => ({ address, chain: [] });
const refusal = new GatewayError('unauthenticated', 'the token is malformed');

const over = (answer: () => typeof ann | Promise<typeof ann>) => {
  const events = recordEvents();
  const plain = { authenticate: answer, authenticateOperator: answer };
  return { authenticator: witnessed(plain, events.sink), events };
};

test('who is recognised is told once per connection, without what else is claimed', async () => {
  let answer: typeof ann | Promise<typeof ann> = ann;
  const { authenticator, events } = over(() => answer);
  const [first, second] = [connection('192.0.2.1'), connection('192.0.2.2')];
  for (const one of [first, first, second]) expect(authenticator.authenticate({ headers, connection: one })).toBe(ann);
  expect(authenticator.authenticateOperator({ headers, connection: first })).toBe(ann);
  answer = Promise.resolve(bob);
  expect(await authenticator.authenticate({ headers, connection: first })).toBe(bob);
  for (let time = 0; time < 2; time++) await authenticator.authenticate({ headers });
  expect(events.of('caller.recognised').map(({ caller, address }) => [caller.subject, address])).toEqual([
    ['ann', '192.0.2.1'],
    ['ann', '192.0.2.2'],
    ['bob', '192.0.2.1'],
    ['bob', undefined],
  ]);
  expect(events.text()).not.toContain('sales');
});

test.each([
  [
    'at once',
    () => {
      throw refusal;
    },
  ],
  ['later', () => Promise.reject(refusal)],
])('who is refused %s is told each time, and refused all the same', async (_, answer) => {
  const { authenticator, events } = over(answer);
  const shown = { address: '192.0.2.1', chain: [new Uint8Array(1)] };
  const ask = async (authorization: string, from: CallerConnection) =>
    authenticator.authenticate({ headers: new Headers({ authorization }), connection: from });
  const [bare, certified] = [connection('192.0.2.1'), shown];
  await expect(ask('Bearer x', certified)).rejects.toBe(refusal);
  await expect(ask('Basic x', bare)).rejects.toBe(refusal);
  await expect(ask('', certified)).rejects.toBe(refusal);
  await expect(ask('', bare)).rejects.toBe(refusal);
  const told = { code: 'unauthenticated', message: 'the token is malformed', address: '192.0.2.1' };
  const methods = ['token', 'basic', 'certificate', 'none'];
  expect(events.of('caller.refused')).toEqual(methods.map((method) => ({ ...told, method })));
});
