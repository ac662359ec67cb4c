import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Era } from '../../src/wire/eras.ts';

const INFO = { name: 'test-client', version: '1.0.0' };
const CAPABILITIES = { sampling: {}, elicitation: {}, roots: { listChanged: true } };

/**
 * The official client (SDK v2) in one era, or in the one it finds; it answers sampling with `sampled` and accepts every
 * question.
 */
export async function connectClient(url: string, token: string, era: Era | 'auto'): Promise<Client> {
  const mode = era === 'modern' ? { pin: '2026-07-28' } : era;
  const client = new Client(INFO, { capabilities: CAPABILITIES, versionNegotiation: { mode } });
  client.setRequestHandler('sampling/createMessage', () => ({
    model: 'test',
    role: 'assistant',
    content: { type: 'text', text: 'sampled' },
  }));
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Ann' } }));
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: bearer(token) }));
  return client;
}

/** The official client of the SDK's first generation, which most of the field still runs. */
export async function connectClientV1(url: string, token: string): Promise<ClientV1> {
  const client = new ClientV1(INFO, { capabilities: CAPABILITIES });
  const transport = new TransportV1(new URL(url), { requestInit: bearer(token) });
  await client.connect(transport);
  return client;
}

/** One JSON-RPC message by plain POST, as curl would send it. */
export async function postMessage(
  url: string,
  token: string,
  message: unknown,
  headers: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    signal: signal ?? null,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: '*/*', ...headers },
    body: typeof message === 'string' ? message : JSON.stringify(message),
  });
}

/** The text of a tool's first content item. */
export function textOf(result: unknown): string | undefined {
  return (result as { content?: { text?: string }[] }).content?.[0]?.text;
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
