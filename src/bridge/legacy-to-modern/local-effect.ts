import { GatewayError } from '../../base/errors.ts';
import { asFields } from '../../base/fields.ts';
import type { Fields } from '../../base/fields.ts';
import type { LegacySession, SessionContent } from '../../session/legacy-session.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import type { JsonRpcRequest } from '../../wire/json-rpc.ts';
import { isLogLevel, LOG_LEVELS } from '../../wire/log-levels.ts';
import { RPC } from '../../wire/rpc-codes.ts';

/** A request the modern era has no message for: what it changes of the session, and nothing upstream. */
export type LocalEffect = (content: SessionContent) => SessionContent;

const NO_EFFECT: LocalEffect = (content) => content;
const MAX_SUBSCRIPTIONS = 500;
const MAX_URI_CHARACTERS = 2_048;

/** Methods of one era that mean something else, or nothing, in the other. */
const MODERN_ONLY = new Set(['server/discover', 'subscriptions/listen']);

/**
 * What a request does that is answered here with an empty result; undefined for one that goes upstream.
 *
 * @throws GatewayError request_invalid, with the JSON-RPC number a legacy server would answer with
 */
export function localEffect(
  { method, params }: JsonRpcRequest,
  { config, facts }: Pick<Upstream, 'config' | 'facts'>,
  session: LegacySession | undefined,
): LocalEffect | undefined {
  const capabilities = facts?.modern?.capabilities ?? {};
  switch (method) {
    case 'ping':
      return NO_EFFECT;
    case 'logging/setLevel':
      if (capabilities['logging'] === undefined) throw refused(RPC.methodNotFound, 'this server sends no log lines');
      return withLevel(params?.['level']);
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      if (asFields(capabilities['resources'])?.['subscribe'] !== true)
        throw refused(RPC.methodNotFound, 'this server tells nobody of changed resources');
      if (session === undefined) throw refused(RPC.invalidParams, 'a subscription needs a session; initialize first');
      return withSubscription(config.id, params, method === 'resources/subscribe');
    default:
      if (MODERN_ONLY.has(method)) throw refused(RPC.methodNotFound, `${method} is no method of this protocol version`);
      return undefined;
  }
}

function withLevel(level: unknown): LocalEffect {
  if (!isLogLevel(level)) throw refused(RPC.invalidParams, `expected one of ${LOG_LEVELS.join(', ')} as level`);
  return (content) => (content.logLevel === level ? content : { ...content, logLevel: level });
}

function withSubscription(upstreamId: string, params: Fields | undefined, isWanted: boolean): LocalEffect {
  const uri = params?.['uri'];
  if (typeof uri !== 'string' || uri.length > MAX_URI_CHARACTERS)
    throw refused(RPC.invalidParams, `expected a uri of at most ${MAX_URI_CHARACTERS} characters`);
  return (content) => {
    const known = content.subscriptions?.[upstreamId] ?? [];
    if (known.includes(uri) === isWanted) return content;
    const uris = isWanted ? [...known, uri] : known.filter((other) => other !== uri);
    if (uris.length > MAX_SUBSCRIPTIONS)
      throw refused(RPC.invalidParams, `at most ${MAX_SUBSCRIPTIONS} subscriptions are kept for a session`);
    return { ...content, subscriptions: { ...content.subscriptions, [upstreamId]: uris } };
  };
}

const refused = (rpcCode: number, message: string): GatewayError =>
  new GatewayError('request_invalid', message, { details: { rpcCode, rpcStatus: 200 } });
