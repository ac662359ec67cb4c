/** Callers by the certificate the platform verified; local workerd is told of it in the place of the platform. */
import { afterEach, expect, test } from 'vitest';
import { startMcpUpstream } from '../../support/mcp-upstream.ts';
import type { McpUpstream } from '../../support/mcp-upstream.ts';
import { startWorkerdGateway } from '../../support/workerd-gateway.ts';
import type { WorkerdGateway } from '../../support/workerd-gateway.ts';

let upstream: McpUpstream;
let gateway: WorkerdGateway;
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

const GOOD = {
  certPresented: '1',
  certVerified: 'SUCCESS',
  certRevoked: '0',
  certSubjectDNRFC2253: 'CN=agent,O=Example',
  certIssuerDNRFC2253: 'CN=Callers',
  certFingerprintSHA256: 'ab'.repeat(32),
  certNotAfter: 'Dec 22 19:39:00 2099 GMT',
};

async function start(asked: string): Promise<void> {
  upstream = await startMcpUpstream();
  gateway = await startWorkerdGateway({ texts: { CERT_REQS: asked } });
}

/** What a caller of whose certificate the platform says this is answered. */
async function ask(path: string, tlsClientAuth: object | undefined, token?: string): Promise<number> {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'x-test-place': JSON.stringify({ tlsClientAuth }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const body = path === '/mcp' ? JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }) : null;
  const answer = await fetch(gateway.url + path, { method: body === null ? 'GET' : 'POST', headers, body });
  await answer.text();
  return answer.status;
}

test('a verified one is a credential of role user, everything else is none', async () => {
  await start('optional');
  expect([await ask('/mcp', GOOD), await ask('/v1/gateways', GOOD)]).toEqual([200, 403]);
  for (const wrong of [
    undefined,
    {},
    { ...GOOD, certPresented: '0' },
    { ...GOOD, certVerified: 'FAILED:self signed certificate' },
    { ...GOOD, certRevoked: '1' },
    { ...GOOD, certRevoked: undefined },
    { ...GOOD, certNotAfter: 'Dec 22 19:39:00 2018 GMT' },
    { ...GOOD, certNotAfter: 'later' },
    { ...GOOD, certSubjectDNRFC2253: 'O=Example' },
  ])
    expect([wrong, await ask('/mcp', wrong)]).toEqual([wrong, 401]);
  expect(await ask('/v1/gateways', undefined, gateway.token)).toBe(200);
});

test('where it is required, a token alone opens nothing but the probes', async () => {
  await start('required');
  expect([await ask('/mcp', GOOD), await ask('/v1/gateways', GOOD, gateway.token)]).toEqual([200, 200]);
  expect([await ask('/mcp', undefined, gateway.token), await ask('/health', undefined)]).toEqual([403, 200]);
});

test('where it is not asked for, it is not looked at', async () => {
  await start('none');
  expect(await ask('/mcp', GOOD)).toBe(401);
});
