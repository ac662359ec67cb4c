import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { fieldsOf, mintGeneration, serverTls, startOverlap } from '../support/overlap.ts';
import type { CertificateGeneration, OverlappingGateway } from '../support/overlap.ts';

let former: CertificateGeneration;
let coming: CertificateGeneration;
let up: OverlappingGateway;

beforeAll(async () => {
  [former, coming] = await Promise.all([mintGeneration('former'), mintGeneration('coming')]);
});
beforeEach(async () => {
  up = await startOverlap(former);
});
afterEach(() => up.close());

const serverMoves = (...[presents, ...accepts]: Parameters<typeof serverTls>) => {
  up.upstream.replaceTls(serverTls(presents, ...accepts));
  up.upstream.dropConnections();
};
const presenting = async () => ((await up.view())['tls'] as Record<string, unknown>)['presenting'];
const standIns = () => up.gateway.events.flatMap(({ name, fields }) => (name === 'upstream.stands_in' ? [fields] : []));

test('a server that moved too early is served with the next identity, and the view says so', async () => {
  await up.put({ next: fieldsOf(coming) });
  serverMoves(coming, coming);
  await expect(up.subjectOfNextCall()).rejects.toThrow();
  await expect.poll(presenting).toBe('next');
  expect(up.upstream.requestsOf('tools/call')).toEqual([]);
  expect(await up.subjectOfNextCall()).toBe('coming client');
  expect(standIns()).toEqual([{ gateway: 'up', presenting: 'next' }]);
  expect(await up.view()).toMatchObject({
    reachable: true,
    health: { status: 'healthy', reason: { code: 'tls_client_certificate_refused', hint: 'promote it' } },
  });

  // what is changed besides leaves it as it is, and promoting it costs no connection
  await up.put({ description: 'half moved' });
  expect(await presenting()).toBe('next');
  const { connections } = up.upstream;
  await up.change('promote');
  expect(up.upstream.connections).toBe(connections);
  expect(await up.view()).toMatchObject({ health: { reason: null }, tls: { presenting: 'current' } });
});

test('a server that moved back is served with the retiring identity, and with the current one when it moves again', async () => {
  await up.put({ next: fieldsOf(coming) });
  serverMoves(former, former, coming);
  await up.change('promote');
  serverMoves(former, former);
  await expect(up.subjectOfNextCall()).rejects.toThrow();
  await expect.poll(presenting).toBe('retiring');
  expect(await up.subjectOfNextCall()).toBe('former client');
  serverMoves(coming, coming);
  await expect(up.subjectOfNextCall()).rejects.toThrow();
  await expect.poll(presenting).toBe('current');
  expect(await up.subjectOfNextCall()).toBe('coming client');
  expect(standIns()).toMatchObject([{ presenting: 'retiring' }, { presenting: 'current' }]);
});

test('a server that refuses everybody keeps what it is shown', async () => {
  await up.put({ next: fieldsOf(coming) });
  serverMoves(former, await mintGeneration('stranger'));
  await expect(up.subjectOfNextCall()).rejects.toThrow();
  // the next identity was tried: its trial is told as a failed connect
  await expect
    .poll(() =>
      up.gateway.events.filter(
        ({ name, fields }) => name === 'upstream.failed' && 'during' in fields && fields.during === 'connect',
      ),
    )
    .not.toEqual([]);
  serverMoves(former, former);
  await expect.poll(async () => (await up.view())['reachable']).toBe(true);
  expect(standIns()).toEqual([]);
  expect(await up.subjectOfNextCall()).toBe('former client');
});
