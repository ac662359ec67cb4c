import { newId } from '../../base/ids.ts';
import type { Vault } from '../../vault/vault.ts';
import { address, awaitLetter, RemoteCall, serveElsewhere } from './remote-call.ts';
import type { RemoteOptions } from './remote-call.ts';
import { openRequestState, requestStateExpired, sealRequestState } from './request-state.ts';
import type { Binding } from './request-state.ts';
import type { WaitingCall } from './waiting-call.ts';
import { PARKED_MS, WaitingRoom } from './waiting-room.ts';
import type { WaitingRoomOptions } from './waiting-room.ts';

export interface ParkedCallsOptions extends WaitingRoomOptions, RemoteOptions {
  readonly vault: Pick<Vault, 'sealToken' | 'openToken'>;
}

/**
 * Calls that asked their caller something and wait for the retry that brings the answer. A call waits at the instance
 * that holds its stream; the retry may arrive at any.
 */
export class ParkedCalls {
  readonly #options: ParkedCallsOptions;
  readonly #room: WaitingRoom;
  readonly #instance = newId();

  constructor(options: ParkedCallsOptions) {
    this.#options = options;
    this.#room = new WaitingRoom(options);
  }

  /** Calls that wait here. */
  get count(): number {
    return this.#room.count;
  }

  /**
   * Keeps a call until its retry; the requestState that leads back to it, opaque to the caller.
   *
   * @throws GatewayError bridge_busy, shutting_down; the call is ended then
   */
  async park(call: WaitingCall, binding: Binding): Promise<string> {
    const { mailbox, vault, clock } = this.#options;
    const id = newId();
    const mail = await address(mailbox);
    const left = await this.#room.admit(id, call, binding.subject);
    void awaitLetter(this.#options, mail, left).then(
      (letter) => this.#room.take(id) && serveElsewhere(this.#options, call, letter),
      // the call was taken here, or it has ended
      () => undefined,
    );
    const expiresAtMs = clock.nowMs() + PARKED_MS;
    return sealRequestState(vault, binding, { id, instance: this.#instance, mail, expiresAtMs });
  }

  /**
   * The call a requestState leads to, which waits no longer.
   *
   * @throws GatewayError request_state_invalid for what we never gave to this caller for this request,
   * request_state_expired
   */
  async take(requestState: string, binding: Binding): Promise<WaitingCall> {
    const { id, instance, mail, expiresAtMs } = await openRequestState(this.#options.vault, requestState, binding);
    if (expiresAtMs <= this.#options.clock.nowMs()) throw requestStateExpired();
    if (instance !== this.#instance) return new RemoteCall(this.#options, mail);
    const call = this.#room.take(id);
    if (call === undefined) throw requestStateExpired();
    return call;
  }

  /** Ends every call that waits, and takes no more. Idempotent. */
  close(): Promise<void> {
    return this.#room.close();
  }
}
