/** ContextForge bug B12: credentials lay in the database in plain text, depending on how they had been sent. */
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

test.each([
  ['bearer', { auth_token: 'canary' }, { authorization: 'Bearer canary' }],
  ['basic', { auth_username: 'ann', auth_password: 'canary' }, { authorization: `Basic ${btoa('ann:canary')}` }],
  ['authheaders', { auth_headers: [{ key: 'X-Api-Key', value: 'canary' }] }, { 'x-api-key': 'canary' }],
  ['authheaders', { auth_header_key: 'X-Api-Key', auth_header_value: 'canary' }, { 'x-api-key': 'canary' }],
  ['query_param', { auth_query_param_key: 'key', auth_query_param_value: 'canary' }, undefined],
])('%s %j is sealed, by POST as by PUT, and arrives', async (auth_type, fields, headers) => {
  const upstream = await startMcpUpstream();
  const folder = await makeTempFolder();
  const gateway = await startGateway({ settings: { POSTERN_STORAGE: `sqlite:${folder.path}/postern.db` } });
  const assertSealed = async () => {
    const bytes = await folder.bytes();
    expect(bytes).toContain(upstream.host);
    for (const text of ['canary', btoa('ann:canary').slice(4, 12), btoa('canary').slice(0, 7)])
      expect(bytes).not.toContain(text);
    const shown = await (await gateway.api('GET', '/v1/gateways/up')).text();
    expect(shown).not.toContain('canary');
    expect(shown).toContain('"*****"');
  };
  const assertArrived = () => {
    // the farewell to a session before the change is a DELETE and has nothing to show
    const requests = upstream.requests.filter(({ httpMethod }) => httpMethod === 'POST');
    for (const request of requests) {
      expect(request.headers).toMatchObject(headers ?? {});
      if (headers === undefined) expect(request.path).toBe('/mcp?key=canary');
    }
    expect(requests.length).toBeGreaterThan(0);
  };
  try {
    await gateway.register({ name: 'up', url: upstream.url, auth_type, ...fields });
    await assertSealed();
    assertArrived();
    await gateway.api('PUT', '/v1/gateways/up', { auth_type: 'none' });
    upstream.requests.length = 0;
    expect((await gateway.api('PUT', '/v1/gateways/up', { auth_type, ...fields })).status).toBe(200);
    await assertSealed();
    assertArrived();
  } finally {
    await gateway.close();
    await folder.remove();
    await upstream.close();
  }
});
