import { expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
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
  const plain = { authenticate: answer, authenticateOperator: answer, believes: () => true, certifies: () => false };
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
  expect(authenticator.believes(first)).toBe(true);
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
  const ask = async () => authenticator.authenticate({ headers, connection: connection('192.0.2.1') });
  for (let time = 0; time < 2; time++) await expect(ask()).rejects.toBe(refusal);
  const told = { code: 'unauthenticated', message: 'the token is malformed', address: '192.0.2.1' };
  expect(events.of('caller.refused')).toEqual([told, told]);
});
