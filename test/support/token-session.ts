/**
 * A client session whose every message carries a token of its own, so that a message that went to another session, or
 * to none, shows.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { textOf } from './mcp-client.ts';

/** Which client opens it: the SDK's first generation, or its second in one of the eras. */
export type ClientKind = 'v1' | 'legacy' | 'modern';

export interface TokenSession {
  readonly token: string;
  /** Questions and log lines that reached it so far. */
  readonly received: { questions: number; logLines: number };
  /** What reached it without its token; nothing should. */
  readonly strangers: string[];
  /** The text a tool answered with. */
  call(tool: string, args: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<string | undefined>;
  listTools(): Promise<readonly string[]>;
  /** Ends the session at the server, where the era has sessions, and leaves. */
  end(): Promise<void>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onprogress?: () => void;
}

/** A message that takes longer counts as lost. */
const LOST_AFTER_MS = 20_000;
const INFO = { name: 'token-session', version: '1.0.0' };
const CAPABILITIES = { sampling: {}, elicitation: {} };
const MODERN_META = { 'io.modelcontextprotocol/logLevel': 'info' };

/** Opens one; it answers whatever it is asked with its token. @param bearer what it authenticates with */
export async function openTokenSession(
  kind: ClientKind,
  url: string,
  bearer: string,
  token: string,
): Promise<TokenSession> {
  const received = { questions: 0, logLines: 0 };
  const strangers: string[] = [];
  const look = (count: keyof typeof received, params: unknown): void => {
    received[count]++;
    const text = JSON.stringify(params);
    if (!text.includes(token)) strangers.push(text);
  };
  const onSample = ({ params }: { params: unknown }) => {
    look('questions', params);
    const content = { type: 'text' as const, text: token };
    return { model: 'test', role: 'assistant' as const, content };
  };
  const onElicit = ({ params }: { params: unknown }) => {
    look('questions', params);
    return { action: 'accept' as const, content: { name: token } };
  };
  const onLog = ({ params }: { params: unknown }) => look('logLines', params);
  const target = new URL(url);
  const requestInit = { headers: { authorization: `Bearer ${bearer}` } };
  const limits = { timeout: LOST_AFTER_MS };
  const shared = { token, received, strangers };

  if (kind === 'v1') {
    const client = new ClientV1(INFO, { capabilities: CAPABILITIES });
    client.setRequestHandler(CreateMessageRequestSchema, onSample);
    client.setRequestHandler(ElicitRequestSchema, onElicit);
    client.setNotificationHandler(LoggingMessageNotificationSchema, onLog);
    const transport = new TransportV1(target, { requestInit });
    await client.connect(transport, limits);
    await client.setLoggingLevel('info', limits);
    return {
      ...shared,
      call: async (name, args, options) =>
        textOf(await client.callTool({ name, arguments: args }, undefined, { ...limits, ...options })),
      listTools: async () => (await client.listTools({}, limits)).tools.map(({ name }) => name),
      async end() {
        await transport.terminateSession();
        await client.close();
      },
    };
  }

  const mode = kind === 'modern' ? { pin: '2026-07-28' } : kind;
  const client = new Client(INFO, { capabilities: CAPABILITIES, versionNegotiation: { mode } });
  client.setRequestHandler('sampling/createMessage', onSample);
  client.setRequestHandler('elicitation/create', onElicit);
  client.setNotificationHandler('notifications/message', onLog);
  const transport = new StreamableHTTPClientTransport(target, { requestInit });
  await client.connect(transport, limits);
  if (kind === 'legacy') await client.setLoggingLevel('info', limits);
  const meta = kind === 'modern' ? { _meta: MODERN_META } : {};
  return {
    ...shared,
    call: async (name, args, options) =>
      textOf(await client.callTool({ name, arguments: args, ...meta }, { ...limits, ...options })),
    listTools: async () => (await client.listTools({}, limits)).tools.map(({ name }) => name),
    async end() {
      if (kind !== 'modern') await transport.terminateSession();
      await client.close();
    },
  };
}
