/** The official clients of both generations over any transport, and what all of them must be able to do. */
import { Client } from '@modelcontextprotocol/client';
import type { Transport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import type { Transport as TransportV1 } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { expect } from 'vitest';
import type { Era } from '../../src/wire/eras.ts';
import { textOf } from './mcp-client.ts';
import type { McpUpstream } from './mcp-upstream.ts';

interface CallOptions {
  readonly onprogress?: (progress: { progress: number }) => void;
  readonly signal?: AbortSignal;
}

/** A client that answers sampling with `sampled` and accepts every question. */
export interface TransportClient {
  tools(): Promise<string[]>;
  /** The text of the answer. */
  call(name: string, args: Record<string, unknown>, options?: CallOptions): Promise<string | undefined>;
  /** The URI of the next resource that is said to have changed; in the legacy era. */
  untilUpdated(): Promise<string>;
  close(): Promise<void>;
}

const INFO = { name: 'transport-client', version: '1.0.0' };
const CAPABILITIES = { sampling: {}, elicitation: {} };
const SAMPLED = { model: 'test', role: 'assistant', content: { type: 'text', text: 'sampled' } } as const;
const ACCEPTED = { action: 'accept', content: { name: 'Ann' } } as const;

/** SDK v1, which speaks the legacy era only. */
export async function connectV1(transport: TransportV1): Promise<TransportClient> {
  const client = new ClientV1(INFO, { capabilities: CAPABILITIES });
  client.setRequestHandler(CreateMessageRequestSchema, () => SAMPLED);
  client.setRequestHandler(ElicitRequestSchema, () => ACCEPTED);
  await client.connect(transport);
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args, options) => textOf(await client.callTool({ name, arguments: args }, undefined, options)),
    untilUpdated: () =>
      new Promise((resolve) =>
        client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => resolve(params.uri)),
      ),
    close: () => client.close(),
  };
}

/** SDK v2 in one era. */
export async function connectV2(transport: Transport, era: Era): Promise<TransportClient> {
  const mode = era === 'modern' ? { pin: '2026-07-28' } : 'legacy';
  const client = new Client(INFO, { capabilities: CAPABILITIES, versionNegotiation: { mode } });
  client.setRequestHandler('sampling/createMessage', () => SAMPLED);
  client.setRequestHandler('elicitation/create', () => ACCEPTED);
  await client.connect(transport);
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args, options) => textOf(await client.callTool({ name, arguments: args }, options)),
    untilUpdated: () =>
      new Promise((resolve) =>
        client.setNotificationHandler('notifications/resources/updated', ({ params }) => resolve(params.uri)),
      ),
    close: () => client.close(),
  };
}

/** Listing, calls at the same time, progress, sampling, elicitation and cancellation, through to the upstream. */
export async function expectEverything(client: TransportClient, upstream: McpUpstream, prefix = ''): Promise<void> {
  expect(await client.tools()).toContain(`${prefix}echo`);
  const texts = Array.from({ length: 20 }, (_, index) => `naïve 😀 ${index}`);
  const echoed = await Promise.all(texts.map((text) => client.call(`${prefix}echo`, { text })));
  expect(echoed).toEqual(texts);
  const seen: number[] = [];
  const onprogress = ({ progress }: { progress: number }) => void seen.push(progress);
  // on a busy machine more than usual comes in one chunk
  expect(await client.call(`${prefix}progress`, { steps: 3, ms: 300 }, { onprogress })).toBe('3 steps');
  expect(seen).toEqual([1, 2, 3]);
  expect(await client.call(`${prefix}sample`, { prompt: 'hi' })).toBe('sampled: sampled');
  expect(await client.call(`${prefix}elicit`, { message: 'who' })).toBe('accept: {"name":"Ann"}');

  const abort = new AbortController();
  const held = upstream.held;
  const call = client.call(`${prefix}hold`, {}, { signal: abort.signal });
  await upstream.untilHeld(held + 1);
  abort.abort('enough');
  await expect(call).rejects.toThrow();
  await expect.poll(() => upstream.held).toBe(held);
}

/** What the upstream says unasked reaches the client; in the legacy era. */
export async function expectNotifications(client: TransportClient, upstream: McpUpstream): Promise<void> {
  const updated = client.untilUpdated();
  // the standing stream of the session may still be on its way to the upstream
  const repeat = setInterval(() => void upstream.updateResource('test://text'), 50);
  try {
    expect(await updated).toBe('test://text');
  } finally {
    clearInterval(repeat);
  }
}
