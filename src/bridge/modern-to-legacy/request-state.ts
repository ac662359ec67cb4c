import { GatewayError } from '../../base/errors.ts';
import type { Vault } from '../../vault/vault.ts';

/** Whose call it is and what it is about; a retry has to agree in all of it. */
export interface Binding {
  readonly subject: string;
  /** Key of the virtual server. */
  readonly server: string;
  readonly upstream: string;
  readonly method: string;
  /** The name or URI the request is about; `''` where it has none. */
  readonly target: string;
}

/** Where a call waits. */
export interface WaitingPlace {
  readonly id: string;
  readonly instance: string;
  /** Where the instance takes letters about it. */
  readonly mail: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

const PURPOSE = 'mcp-request-state';
/** Longer than any we make. */
const MAX_STATE_CHARACTERS = 8 * 1024;

/** What a caller gets to find its call again: sealed, so that it is of use to nobody else and for nothing else. */
export function sealRequestState(
  vault: Pick<Vault, 'sealToken'>,
  binding: Binding,
  place: WaitingPlace,
): Promise<string> {
  return vault.sealToken({ ...binding, ...place }, PURPOSE);
}

/** @throws GatewayError request_state_invalid for what was never given to this caller for this request */
export async function openRequestState(
  vault: Pick<Vault, 'openToken'>,
  requestState: string,
  { subject, server, upstream, method, target }: Binding,
): Promise<WaitingPlace> {
  const state = await opened(vault, requestState);
  const agrees =
    state.subject === subject &&
    state.server === server &&
    state.upstream === upstream &&
    state.method === method &&
    state.target === target;
  if (!agrees) throw invalid();
  return state;
}

/** What opens was sealed here or by another instance, for this purpose: nobody else holds the key. */
async function opened(vault: Pick<Vault, 'openToken'>, requestState: string): Promise<Binding & WaitingPlace> {
  if (requestState.length > MAX_STATE_CHARACTERS) throw invalid();
  try {
    return (await vault.openToken(requestState, PURPOSE)) as unknown as Binding & WaitingPlace;
  } catch (cause) {
    throw invalid(cause);
  }
}

const invalid = (cause?: unknown): GatewayError =>
  new GatewayError(
    'request_state_invalid',
    'the requestState was not given to this caller for this request',
    cause === undefined ? {} : { cause },
  );

/** The refusal of a retry whose call waits no more. */
export const requestStateExpired = (): GatewayError =>
  new GatewayError('request_state_expired', 'the call that asked was answered already or waits no more; call again');
