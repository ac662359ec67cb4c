import type { Context } from 'hono';
import { GatewayError } from '../../base/errors.ts';
import type { EventSink } from '../../base/events.ts';
import { SingleFlight } from '../../base/single-flight.ts';
import type { Authenticate } from '../access.ts';
import { callerOf, granted } from '../access.ts';
import type { HttpEnv } from '../env.ts';
import { readText } from '../read-text.ts';
import { answerMcp } from './endpoint.ts';
import type { McpServices } from './exchange.ts';
import type { FindServer } from './servers.ts';

export interface McpAddressOptions extends Omit<McpServices, 'renewals'> {
  readonly authenticate: Authenticate;
  readonly events: EventSink;
}

/** The longest message taken from a caller. */
const MESSAGE_BYTES = 16 * 1024 * 1024;

/**
 * Answers requests to MCP addresses: who calls, may they, which server, and then MCP.
 *
 * @throws GatewayError unauthenticated, token_expired, forbidden, not_found, request_too_large
 */
export function mcpAddress(options: McpAddressOptions): (c: Context<HttpEnv>, find: FindServer) => Promise<Response> {
  const { authenticate, events } = options;
  const services: McpServices = { ...options, renewals: new SingleFlight() };
  const onFailure = ({ code, message }: GatewayError): void =>
    events('request.failed', { code, message, path: '/mcp' });

  return async (c, find) => {
    const request = c.req.raw;
    // a known caller costs no wait, and this is on every call's way
    const caller = callerOf(request, authenticate);
    const principal = caller instanceof Promise ? await caller : caller;
    const grant = granted(principal, { kind: 'mcp' });
    const server = find();
    if (server === undefined) throw new GatewayError('not_found', 'no active server has this name');
    const signal = c.env.signal ?? request.signal;
    const text = request.method === 'POST' ? await readText(request, MESSAGE_BYTES, signal) : '';
    return answerMcp(services, { request, server, grant, subject: principal.subject, text, signal }, onFailure);
  };
}
