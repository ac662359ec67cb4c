/** ContextForge bug B2: prompts/get knew neither CA nor client certificate, failed, and told the caller its insides. */
import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { startGateway } from '../support/gateway.ts';
import { connectClient, postMessage } from '../support/mcp-client.ts';
import { CLIENT, startStrictUpstream } from '../support/strict-upstream.ts';

const closing = closeAfterEach();

async function start() {
  const strict = await startStrictUpstream();
  const gateway = await startGateway();
  closing.push(
    () => strict.upstream.close(),
    () => gateway.close(),
  );
  await gateway.register(strict.fields);
  return { strict, gateway, token: await gateway.token('ann') };
}

const GREETING = { role: 'user', content: { type: 'text', text: 'Say hello to Ann' } };

for (const era of ['legacy', 'modern'] as const)
  test(`${era}: a prompt comes from an upstream with a private CA that demands a certificate`, async () => {
    const { strict, gateway, token } = await start();
    for (const [path, name] of [
      ['/mcp', 'up_greet'],
      ['/servers/up/mcp', 'greet'],
    ] as const) {
      const client = await connectClient(gateway.url + path, token, era);
      expect((await client.getPrompt({ name, arguments: { who: 'Ann' } })).messages).toEqual([GREETING]);
      await client.close();
    }
    const got = strict.upstream.requestsOf('prompts/get');
    expect(got.map(({ clientSubject, authorized }) => [clientSubject, authorized])).toEqual([
      [CLIENT, true],
      [CLIENT, true],
    ]);
  });

test('a prompt that fails is one plain sentence with a code, and shows nothing of the inside', async () => {
  const { strict, gateway, token } = await start();
  const get = async (name: string, params: object = {}) => {
    const message = { jsonrpc: '2.0', id: 1, method: 'prompts/get', params: { name, ...params } };
    const text = await (await postMessage(`${gateway.url}/mcp`, token, message)).text();
    const data = text.startsWith('{') ? text : (/^data: (\{.*"error".*)$/m.exec(text)?.[1] ?? '');
    return (JSON.parse(data) as { error: { code: number; message: string; data?: { code: string } } }).error;
  };
  const unknown = await get('up_no_such_prompt');
  expect(unknown).toMatchObject({ code: -32602 });
  const nowhere = await get('no_such_upstream');
  expect(nowhere).toMatchObject({ code: -32602, message: 'nothing here is called no_such_upstream' });

  const { upstream, ca } = strict;
  const stranger = await (await strict.pki.ca('Other CA')).issue({ cn: 'server', ip: ['127.0.0.1'] });
  upstream.replaceTls({
    cert: stranger.chainPem,
    key: stranger.keyPem,
    ca: ca.pem,
    requireClientCertificate: true,
  });
  upstream.dropConnections();
  const broken = await get('up_greet', { arguments: { who: 'Ann' } });
  expect(broken).toMatchObject({ data: { code: 'tls_unknown_ca' } });

  for (const error of [unknown, nowhere, broken]) {
    expect(error.message).toMatch(/^[^\n]{10,200}$/);
    expect(JSON.stringify(error)).not.toMatch(
      /\bat .*:\d+|node:|node_modules|\.[jt]s\b|Error\b|stack|-----BEGIN|\/mcp/,
    );
  }
});
