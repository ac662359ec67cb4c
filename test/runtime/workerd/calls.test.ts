/** The calls every runtime is tried with, through the Worker in workerd; and what is workerd's own. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postMessage } from '../../support/mcp-client.ts';
import { openSocket, refusedSocket } from '../../support/web-socket.ts';
import { startStrictUpstream } from '../../support/strict-upstream.ts';
import type { StrictUpstream } from '../../support/strict-upstream.ts';
import { until } from '../../support/until.ts';
import { startWorkerdGateway } from '../../support/workerd-gateway.ts';
import type { WorkerdGateway } from '../../support/workerd-gateway.ts';
import { callsThrough } from '../gateway/calls-contract.ts';

async function open({ upstream, ca, client }: StrictUpstream) {
  return {
    gateway: await startWorkerdGateway({ certificates: { CLIENT: client }, trusted: [ca.pem] }),
    fields: { name: 'up', url: upstream.url, client_binding: 'CLIENT' },
  };
}

// of the modern era, whose calls are given up by closing the connection alone, see below
describe('calls through workerd', () => callsThrough(open, ['legacy']));

describe('callers of workerd', () => {
  let strict: StrictUpstream;
  let gateway: WorkerdGateway;
  beforeAll(async () => {
    strict = await startStrictUpstream();
    const opened = await open(strict);
    ({ gateway } = opened);
    await gateway.register(opened.fields);
  });
  afterAll(async () => {
    await gateway?.close();
    await strict?.upstream.close();
  });

  // workerd takes a closed connection for one whose caller has nothing more to say, until something is to be written
  test('a modern caller that breaks its connection off before the answer began ends the call at the server', async () => {
    const text = 'held for one who breaks off';
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    socket.write(modernCall(gateway, 'up_hold', { text }));
    await until(() => strict.upstream.isHolding(text));
    socket.resetAndDestroy();
    await until(() => !strict.upstream.isHolding(text));
  });

  test('a WebSocket carries a session', async () => {
    const headers = { authorization: `Bearer ${gateway.token}` };
    const client = await openSocket(`${gateway.url}/ws`, { headers });
    const clientInfo = { name: 'caller', version: '1.0.0' };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
    client.say({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
    expect(await client.next()).toMatchObject({ id: 1, result: { protocolVersion: '2025-11-25' } });
    client.say({ jsonrpc: '2.0', method: 'notifications/initialized' });
    client.say({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'up_echo', arguments: { text: 'hi' } } });
    expect(await client.next()).toMatchObject({ id: 2, result: { content: [{ text: 'hi' }] } });
    client.socket.close();
    await client.closed;
  });

  test('a WebSocket without credentials is refused, and binary frames end one', async () => {
    expect(await refusedSocket(`${gateway.url}/ws`)).toMatchObject({ status: 401 });
    const client = await openSocket(`${gateway.url}/ws`, { headers: { authorization: `Bearer ${gateway.token}` } });
    client.socket.send(Buffer.from('{}'));
    expect(await client.closed).toMatchObject({ code: 1003 });
  });

  test('a client of HTTP+SSE finds its session again', async () => {
    const headers = { authorization: `Bearer ${gateway.token}`, accept: 'text/event-stream' };
    const leaving = new AbortController();
    const stream = await fetch(`${gateway.url}/sse`, { headers, signal: leaving.signal });
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    const hear = async (part: RegExp): Promise<string> => {
      for (;;) {
        const found = part.exec(heard)?.[1];
        if (found !== undefined) return found;
        heard += (await reader?.read())?.value ?? '';
      }
    };
    const endpoint = await hear(/^data: (\/\S+)$/m);
    const say = async (message: object): Promise<void> => {
      const answer = await postMessage(gateway.url + endpoint, gateway.token, { jsonrpc: '2.0', ...message });
      expect(answer.status).toBe(202);
    };
    const clientInfo = { name: 'caller', version: '1.0.0' };
    await say({ id: 1, method: 'initialize', params: { protocolVersion: '2024-11-05', capabilities: {}, clientInfo } });
    expect(await hear(/("id":1,"result"|"result".*"id":1)/)).toBeTruthy();
    await say({ method: 'notifications/initialized' });
    await say({ id: 2, method: 'tools/call', params: { name: 'up_echo', arguments: { text: 'from afar' } } });
    expect(await hear(/"text":"(from afar)"/)).toBe('from afar');
    leaving.abort();
  });

  test('many at once share one upstream, and nobody waits for ever', async () => {
    const texts = Array.from({ length: 60 }, (_, index) => `call ${index}`);
    expect(await Promise.all(texts.map((text) => gateway.call('up_echo', { text })))).toEqual(texts);
  });
});

function modernCall({ url, token }: WorkerdGateway, name: string, args: object): string {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const params = { name, arguments: args, _meta };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  const headers = [
    'POST /mcp HTTP/1.1',
    `host: ${new URL(url).host}`,
    `authorization: Bearer ${token}`,
    'content-type: application/json',
    'accept: application/json, text/event-stream',
    'mcp-protocol-version: 2026-07-28',
    'mcp-method: tools/call',
    `mcp-name: ${name}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return `${headers.join('\r\n')}\r\n\r\n${body}`;
}
