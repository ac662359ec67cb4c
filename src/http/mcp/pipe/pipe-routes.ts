import { Hono } from 'hono';
import type { Context } from 'hono';
import type { CancelSignal } from '../../../base/cancel-signal.ts';
import { GatewayError } from '../../../base/errors.ts';
import { incomingOf } from '../../access.ts';
import type { HttpEnv } from '../../env.ts';
import type { FindServer } from '../servers.ts';
import { acceptSocket } from './socket-sessions.ts';
import type { SocketOptions } from './socket-sessions.ts';
import { SseSessions } from './sse-sessions.ts';

/** Paths that may become a WebSocket. */
const SOCKET_PATH = /^(?:\/servers\/[^/]+)?\/ws\/?$/;

/** Whether a WebSocket may be opened at a path. */
export const isSocketPath = (path: string): boolean => SOCKET_PATH.test(path);

/**
 * The ways in beside Streamable HTTP: HTTP+SSE of 2024-11-05 and WebSocket, to everything and to one server.
 *
 * @param named the server of a name
 */
export function pipeRoutes(
  options: SocketOptions,
  everything: FindServer,
  named: (name: string) => FindServer,
): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>({ strict: false });
  const streams = new SseSessions(options);
  for (const prefix of ['', '/servers/:server']) {
    const find = (c: Context<HttpEnv>): FindServer => {
      const name = c.req.param('server');
      return name === undefined ? everything : named(name);
    };
    routes.all(`${prefix}/sse`, (c) => {
      const messages = c.req.path.replace(/sse\/?$/, 'messages');
      return streams.open(incomingOf(c), find(c), messages, signalOf(c));
    });
    for (const path of ['messages', 'message'])
      routes.all(`${prefix}/${path}`, (c) => streams.post(incomingOf(c), find(c), signalOf(c)));
    routes.all(`${prefix}/ws`, async (c) => {
      const { onSocket } = c.env;
      if (onSocket === undefined)
        throw new GatewayError('request_invalid', 'expected a request to become a WebSocket, over HTTP/1.1');
      onSocket(await acceptSocket(incomingOf(c), find(c), options));
      return c.body(null);
    });
  }
  return routes;
}

const signalOf = (c: Context<HttpEnv>): CancelSignal => c.env.signal ?? c.req.raw.signal;
