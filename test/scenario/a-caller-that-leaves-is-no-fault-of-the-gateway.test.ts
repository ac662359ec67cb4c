import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';

const headers = (path: string, token: string, body: string) =>
  [`POST ${path} HTTP/1.1`, 'Host: localhost', `Authorization: Bearer ${token}`, 'Content-Type: application/json', body]
    .join('\r\n')
    .concat('\r\n\r\n');

test.each([
  ['/mcp', 'Content-Length: 100', '{"jsonrpc"'],
  ['/v1/gateways', 'Content-Length: 100', '{"name"'],
  ['/mcp', 'Transfer-Encoding: chunked', '5\r\n{"js'],
])('a caller of %s that leaves after %s and half a body is not reported as a failure', async (path, length, half) => {
  const gateway = await startGateway();
  try {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    const token = await gateway.token('operator', 'admin');
    socket.write(headers(path, token, length) + half, () => socket.destroy());
    while (gateway.countOf('request.refused') + gateway.countOf('request.failed') === 0)
      await new Promise(setImmediate);
    expect(gateway.events.filter(({ name }) => name.startsWith('request.'))).toMatchObject([
      { name: 'request.refused', fields: { code: 'call_cancelled', path } },
    ]);
  } finally {
    await gateway.close();
  }
});
