import { asFields } from '../base/fields.ts';
import type { JsonRpcMessage } from './json-rpc.ts';

/** Members by which servers choose what to do, and to what. */
const CHOOSING = ['jsonrpc', 'id', 'method', 'params', 'result', 'error'];
const CHOOSING_OF_PARAMS = ['name', 'uri', 'ref', 'type', 'notifications', 'resourceSubscriptions'];

/**
 * A member of a message that is not what servers choose by, but for its case. We read names as they are written; servers
 * in Go and C# may take `Name` for `name`, and where both are there the last one.
 */
export function lookalikeIn(message: JsonRpcMessage): string | undefined {
  const params = 'params' in message ? message.params : undefined;
  const chosen = [params, asFields(params?.['ref']), asFields(params?.['notifications'])];
  return (
    Object.keys(message).find(isLikeOneOf(CHOOSING)) ??
    chosen.flatMap((fields) => Object.keys(fields ?? {})).find(isLikeOneOf(CHOOSING_OF_PARAMS))
  );
}

const isLikeOneOf = (names: readonly string[]) => {
  const folded = new Set(names.map(foldedName));
  return (name: string): boolean => !names.includes(name) && folded.has(foldedName(name));
};

/**
 * A name as it reads where case does not count. Both ways, since some letters are the capitals of another one only: `ſ`
 * of `S`, and the Kelvin sign of `k`.
 */
export function foldedName(name: string): string {
  return name.toUpperCase().toLowerCase();
}
