import { GatewayError } from '../../base/errors.ts';
import type { JsonRpcMessage } from '../../wire/json-rpc.ts';
import { lookalikeIn } from '../../wire/lookalikes.ts';
import { RPC } from '../../wire/rpc-codes.ts';
import type { Exchange } from './exchange.ts';

/**
 * The exchange as it goes on. Where something is hidden or counted by name, its message is written anew: what is decided on here and what an
 * upstream reads must not differ, as they may when a member is there twice.
 *
 * @throws GatewayError request_invalid for what upstreams may read in another way
 */
export function unambiguous(exchange: Exchange, message: JsonRpcMessage, isCountedByName: boolean): Exchange {
  const isOpen = exchange.server.members.every(({ exposure }) => exposure === undefined);
  if (isOpen && !isCountedByName) return exchange;
  const name = lookalikeIn(message);
  if (name === undefined) return { ...exchange, text: JSON.stringify(message) };
  throw new GatewayError(
    'request_invalid',
    `the message has ${name.slice(0, 40)}, which some servers read as another member`,
    {
      details: { rpcCode: RPC.invalidRequest },
    },
  );
}
