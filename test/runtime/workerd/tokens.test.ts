/** Tokens on Workers: of another issuer, whose keys are fetched there, and those that are kept. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { postMessage } from '../../support/mcp-client.ts';
import { startTokenIssuer } from '../../support/token-issuer.ts';
import type { TokenIssuer } from '../../support/token-issuer.ts';
import { startWorkerdGateway } from '../../support/workerd-gateway.ts';
import type { WorkerdGateway } from '../../support/workerd-gateway.ts';

let issuer: TokenIssuer;
let gateway: WorkerdGateway;
beforeAll(async () => {
  issuer = await startTokenIssuer({ convention: 'openid' });
  gateway = await startWorkerdGateway({ texts: { POSTERN_TRUSTED_ISSUERS: issuer.issuer } });
});
afterAll(async () => {
  await gateway.close();
  await issuer.close();
});

const statusOf = async (token: string): Promise<number> =>
  (await postMessage(`${gateway.url}/mcp`, token, { jsonrpc: '2.0', id: 1, method: 'ping' })).status;

test('a token of another issuer is taken, for the address it names', async () => {
  expect(await statusOf(await issuer.sign())).toBe(200);
  expect(await statusOf(await issuer.sign({ aud: `${gateway.url}/mcp` }))).toBe(200);
  expect(await statusOf(await issuer.sign({ aud: `${gateway.url}/servers/one/mcp` }))).toBe(401);
  const { headers } = await fetch(`${gateway.url}/mcp`);
  expect(headers.get('www-authenticate')).toBe(
    `Bearer resource_metadata="${gateway.url}/.well-known/oauth-protected-resource/mcp"`,
  );
});

test('a token that is kept is taken until it is revoked', async () => {
  const headers = { authorization: `Bearer ${gateway.token}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ subject: 'ann' });
  const made = await fetch(`${gateway.url}/v1/tokens`, { method: 'POST', headers, body });
  const { id, token } = (await made.json()) as { id: string; token: string };
  expect(await statusOf(token)).toBe(200);
  await fetch(`${gateway.url}/v1/tokens/${id}`, { method: 'DELETE', headers });
  expect(await statusOf(token)).toBe(401);
});
