import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectClient, textOf } from '../support/mcp-client.ts';
import { fieldsOf, mintGeneration, serverTls, startOverlap } from '../support/overlap.ts';
import type { CertificateGeneration, OverlappingGateway } from '../support/overlap.ts';

let former: CertificateGeneration;
let coming: CertificateGeneration;
let stranger: CertificateGeneration;
let up: OverlappingGateway;

beforeAll(async () => {
  [former, coming, stranger] = await Promise.all([
    mintGeneration('former'),
    mintGeneration('coming'),
    mintGeneration('stranger'),
  ]);
});
beforeEach(async () => {
  up = await startOverlap(former);
});
afterEach(() => up.close());

/** The server takes other certificates, and everybody has to connect anew. */
const serverMoves = (...[presents, ...accepts]: Parameters<typeof serverTls>) => {
  up.upstream.replaceTls(serverTls(presents, ...accepts));
  up.upstream.dropConnections();
};
/** The role and the generation of each certificate whose end is told. */
const told = async () => {
  const text = await (await up.gateway.api('GET', '/metrics')).text();
  const series = text.matchAll(
    /^postern_certificate_not_after_seconds{role="(\w+)",gateway="up",generation="(\w+)"}/gm,
  );
  return [...series].map(([, role, generation]) => `${role} ${generation}`);
};
const tls = async () => (await up.view())['tls'];

test('the server may move first: it is believed while the next identity waits', async () => {
  await up.put({ next: fieldsOf(coming) });
  serverMoves(coming, former, coming);
  expect(await up.subjectOfNextCall()).toBe('former client');
  expect(await tls()).toMatchObject({
    presenting: 'current',
    clientCertificate: { subject: 'CN=former client', daysLeft: 29 },
    authorities: [{ subject: 'CN=former CA' }],
    next: {
      clientCertificate: { subject: 'CN=coming client', daysLeft: 29 },
      authorities: [{ subject: 'CN=coming CA' }],
    },
    retiring: null,
  });
  expect(await told()).toEqual(['client current', 'ca current', 'client next', 'ca next']);

  await up.change('promote');
  expect(await told()).toEqual(['client current', 'ca current', 'client retiring', 'ca retiring']);
  expect(await up.subjectOfNextCall()).toBe('coming client');
  serverMoves(coming, coming);
  await up.change('retire');
  expect(await up.subjectOfNextCall()).toBe('coming client');
  expect(await tls()).toMatchObject({ authorities: [{ subject: 'CN=coming CA' }], next: null, retiring: null });
});

test('the client may move first: the server is believed while the former identity retires', async () => {
  serverMoves(former, former, coming);
  await up.put({ next: fieldsOf(coming) });
  await up.change('promote');
  expect(await up.subjectOfNextCall()).toBe('coming client');
  expect(await up.view()).toMatchObject({
    clientCert: coming.client.chainPem,
    clientKey: '*****',
    next: null,
    retiring: { clientCert: former.client.chainPem, clientKey: '*****', caCertificate: former.caPem },
    tls: { presenting: 'current', retiring: { clientCertificate: { subject: 'CN=former client' } } },
  });

  serverMoves(coming, coming);
  expect(await up.subjectOfNextCall()).toBe('coming client');
  await up.change('retire');
  expect(await up.subjectOfNextCall()).toBe('coming client');
});

test('both may move at once, and a call in flight finishes', async () => {
  await up.put({ next: fieldsOf(coming) });
  const client = await connectClient(`${up.gateway.url}/servers/up/mcp`, await up.gateway.token('ann'), 'modern');
  const held = client.callTool({ name: 'hold', arguments: {} });
  await up.upstream.untilHeld(1);
  up.upstream.replaceTls(serverTls(coming, coming));
  await up.change('promote');
  expect(await up.subjectOfNextCall()).toBe('coming client');
  up.upstream.release();
  expect(textOf(await held)).toBeDefined();
  await client.close();
});

test('a next identity the server refuses is not promoted, and the current one goes on serving', async () => {
  await up.put({ next: fieldsOf(stranger) });
  const before = await up.view();
  await expect(up.change('promote')).rejects.toMatchObject({ code: 'connection_lost' });
  expect(await up.view()).toMatchObject({
    version: before['version'],
    next: before['next'],
    retiring: null,
    reachable: true,
  });
  expect(await up.subjectOfNextCall()).toBe('former client');
});

test('only what is there is promoted and retired', async () => {
  await expect(up.change('promote')).rejects.toMatchObject({ code: 'nothing_to_promote' });
  await expect(up.change('retire')).rejects.toMatchObject({ code: 'nothing_to_retire' });
});
