import type { CancelSignal } from '../../base/cancel-signal.ts';
import type { ChangeFeed } from '../../base/change-feed.ts';
import { GatewayError } from '../../base/errors.ts';
import { SingleFlight } from '../../base/single-flight.ts';
import type { Incoming } from '../access.ts';
import { rememberedCallerFields } from '../../identity/caller-fields.ts';
import type { ServerSnapshot } from '../../catalog/server-snapshot.ts';
import { hasLooped, VIA } from '../../wire/via.ts';
import { readText } from '../read-text.ts';
import type { Admission } from './admission.ts';
import { CallAccount } from './call-account.ts';
import { answerMcp } from './endpoint.ts';
import type { McpServices } from './exchange.ts';
import { KeptLists } from './lists/kept-lists.ts';
import { ListChanges } from './lists/list-changes.ts';
import { MESSAGE_BYTES } from './pipe/pipe-answer.ts';
import { serverByKey } from './servers.ts';
import type { FindServer } from './servers.ts';

export interface McpAddressOptions extends Omit<McpServices, 'renewals' | 'lists' | 'listChanges'> {
  readonly admission: Admission;
  /** The servers of this instance. */
  readonly servers: { snapshot(): ServerSnapshot };
  /** Told when what is served there may be another. */
  readonly changes: ChangeFeed;
  /** How this gateway names itself to those behind it. */
  readonly viaName: string;
  /** Whether every call is told of. */
  readonly accountsForCalls: boolean;
}

/**
 * Answers one request to an MCP address.
 *
 * @param signal aborts when the caller goes away before the answer has ended
 * @throws GatewayError unauthenticated, token_expired, forbidden, insufficient_scope, not_found, request_too_large
 */
export type AnswerMcp = (incoming: Incoming, find: FindServer, signal: CancelSignal) => Promise<Response>;

/** Who calls, may they, which server, and then MCP. */
export function mcpAddress(options: McpAddressOptions): AnswerMcp {
  const { admission, events, clock, changes, servers } = options;
  const fieldsOf = rememberedCallerFields();
  const lists = new KeptLists();
  const asNow = (key: string) => serverByKey(servers.snapshot(), key);
  const listChanges = new ListChanges({ clock, changes, lists, again: (server) => admission.again(server, asNow) });
  const services: McpServices = { ...options, renewals: new SingleFlight(), lists, listChanges };
  const onFailure = ({ code, message }: GatewayError): void =>
    events('request.failed', { code, message, path: '/mcp' });

  return async (incoming, find, signal) => {
    const { request, connection } = incoming;
    refuseLoop(request, options.viaName);
    // a known caller costs no wait, and this is on every call's way
    const caller = admission.callerOf(incoming);
    const principal = caller instanceof Promise ? await caller : caller;
    const account = options.accountsForCalls ? new CallAccount(fieldsOf(principal), request, options) : undefined;
    try {
      const admitted = admission.admit(principal, incoming, find);
      const { grant, server } = admitted instanceof Promise ? await admitted : admitted;
      const text = request.method === 'POST' ? await readText(request, MESSAGE_BYTES, signal) : '';
      const exchange = { request, connection, server, grant, principal, text, signal, account };
      const answer = await answerMcp(services, exchange, onFailure);
      return account ? account.answered(answer) : answer;
    } catch (error) {
      account?.failed(error);
      account?.tell();
      throw error;
    }
  };
}

/** @throws GatewayError loop_detected */
function refuseLoop({ headers }: Request, viaName: string): void {
  if (!hasLooped(headers.get(VIA), viaName)) return;
  throw new GatewayError(
    'loop_detected',
    'the request came through this gateway before, or through too many of its kind',
    {
      hint: 'a gateway must not be registered behind itself, nor behind one that stands behind it',
    },
  );
}
