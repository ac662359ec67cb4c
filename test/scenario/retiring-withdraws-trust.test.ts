import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeKeys, startGateway } from '../support/gateway.ts';
import { connectClient, textOf } from '../support/mcp-client.ts';
import { fieldsOf, mintGeneration, serverTls, startOverlap } from '../support/overlap.ts';
import type { CertificateGeneration, OverlappingGateway } from '../support/overlap.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';

let former: CertificateGeneration;
let coming: CertificateGeneration;
let up: OverlappingGateway;
let folder: TempFolder;
let settings: Record<string, string>;
const keys = makeKeys();

beforeAll(async () => {
  [former, coming] = await Promise.all([mintGeneration('former'), mintGeneration('coming')]);
});
beforeEach(async () => {
  folder = await makeTempFolder();
  settings = { POSTERN_STORAGE: `sqlite:${folder.path}/postern.db` };
  up = await startOverlap(former, { keys, settings });
  up.upstream.replaceTls(serverTls(former, former, coming));
  await up.put({ next: fieldsOf(coming) });
});
afterEach(async () => {
  await up.close();
  await folder.remove();
});

/** A call that is under way on a connection of its own; how it ended. */
const heldCall = async () => {
  const client = await connectClient(`${up.gateway.url}/servers/up/mcp`, await up.gateway.token('ann'), 'modern');
  const outcome = client.callTool({ name: 'hold', arguments: {} }).then(textOf, (error: unknown) => error);
  await up.upstream.untilHeld(1);
  return { outcome, close: () => client.close() };
};

test('where the server has moved, nothing is cut', async () => {
  up.upstream.replaceTls(serverTls(coming, former, coming));
  await up.change('promote');
  const { outcome, close } = await heldCall();
  await up.change('retire');
  up.upstream.release();
  expect(await outcome).toBe('released');
  await close();
});

test('where it has not, its connections are cut at once, and new ones are refused', async () => {
  await up.change('promote');
  const { outcome, close } = await heldCall();
  await up.change('retire');
  expect(await outcome).toBeInstanceOf(Error);
  // what it lists is still known
  expect(await up.view()).toMatchObject({ status: 'active', retiring: null });
  await expect(up.subjectOfNextCall()).rejects.toThrow();
  expect(await up.view()).toMatchObject({ lastError: expect.stringContaining('tls_unknown_ca') });
  up.upstream.replaceTls(serverTls(coming, coming));
  expect(await up.subjectOfNextCall()).toBe('coming client');
  await close();
});

test('an instance that hears of it withdraws the trust too, whatever the server says', async () => {
  const other = await startGateway({ keys, settings });
  try {
    await up.change('promote');
    await other.gateway.reload('test');
    await up.change('retire');
    await other.gateway.reload('test');
    expect(await (await other.api('GET', '/v1/gateways/up')).json()).toMatchObject({
      status: 'active',
      retiring: null,
      tls: { authorities: [{ subject: 'CN=coming CA' }], retiring: null },
    });
    const report = await (await other.api('POST', '/v1/gateways/up/check')).json();
    expect(report).toMatchObject({ ok: false, error: { code: 'tls_unknown_ca' } });
  } finally {
    await other.close();
  }
});

test('a retiring identity without a CA of its own takes no trust with it, and no connection', async () => {
  await up.put({ next: { ...fieldsOf(coming), ca_certificate: null } });
  up.upstream.replaceTls(serverTls(former, former, coming));
  await up.change('promote');
  expect(await up.subjectOfNextCall()).toBe('coming client');
  const { handshakes } = up.upstream;
  await up.change('retire');
  expect(await up.subjectOfNextCall()).toBe('coming client');
  expect(up.upstream.handshakes).toBe(handshakes);
});
