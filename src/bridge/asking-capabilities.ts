import { asFields, isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import type { JsonRpcRequest } from '../wire/json-rpc.ts';

/** What a server may ask its client, in either era, and the capability a client declares to be asked. */
export const ASKING: ReadonlyMap<string, string> = new Map([
  ['elicitation/create', 'elicitation'],
  ['sampling/createMessage', 'sampling'],
  ['roots/list', 'roots'],
]);

/** Finer capabilities that mean the same in both eras. */
const MODES: Readonly<Record<string, readonly string[]>> = {
  elicitation: ['form', 'url'],
  sampling: ['context', 'tools'],
  roots: [],
};

/**
 * The declared capabilities by which a legacy server may ask something, in a fixed order and without anything else:
 * callers that may be asked the same have equal ones.
 */
export function askingCapabilities(declared: unknown): Fields {
  const capabilities = asFields(declared) ?? {};
  const asking = Object.entries(MODES).flatMap(([name, modes]) => {
    const capability = asFields(capabilities[name]);
    return capability === undefined ? [] : [[name, pick(capability, modes)] as const];
  });
  return Object.fromEntries(asking);
}

const pick = (capability: Fields, modes: readonly string[]): Fields =>
  Object.fromEntries(modes.flatMap((mode) => (isFields(capability[mode]) ? [[mode, {}] as const] : [])));

/** Whether a client with these capabilities may be asked this. */
export function mayBeAsked(capabilities: Fields, { method, params }: JsonRpcRequest): boolean {
  const name = ASKING.get(method);
  const capability = name === undefined ? undefined : asFields(capabilities[name]);
  if (capability === undefined) return false;
  return params?.['mode'] !== 'url' || capability['url'] !== undefined;
}
