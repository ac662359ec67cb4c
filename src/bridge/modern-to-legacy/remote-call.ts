import { Cancellation } from '../../base/cancel-signal.ts';
import type { CancelSignal } from '../../base/cancel-signal.ts';
import type { Clock } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import type { ErrorCode } from '../../base/errors.ts';
import type { Fields } from '../../base/fields.ts';
import type { Mailbox } from '../../session/mailbox.ts';
import { withDeadline } from '../../upstream/deadline.ts';
import { requestStateExpired } from './request-state.ts';
import type { Tell, Turn, WaitingCall } from './waiting-call.ts';
import { PARKED_MS } from './waiting-room.ts';

/** What calls that wait elsewhere need. */
export interface RemoteOptions {
  readonly mailbox: Pick<Mailbox, 'address' | 'post' | 'wait'>;
  readonly clock: Clock;
}

/** To the instance where a call waits: the caller's answers, or that it left. */
type Letter =
  | {
      readonly inputResponses: Fields;
      /** Where it is told that the letter was read, and what the call came to. */
      readonly receipt: string;
      readonly reply: string;
      /** Where the next letter will be sent. */
      readonly next: string;
    }
  | { readonly left: string };

/** From there: what the caller was to hear meanwhile, and what the call came to. */
interface Reply {
  readonly told: readonly Fields[];
  readonly turn?: Turn;
  readonly failure?: { readonly code: ErrorCode; readonly message: string };
}

/** Addresses of these letters never leave the instances. */
const SCOPE = 'parked call';
/** Longer than an instance that lives takes to look for letters. */
const RECEIPT_MS = 5_000;

/** A call that waits at another instance: its caller's answers go there by letter, and so comes what it came to. */
export class RemoteCall implements WaitingCall {
  readonly #options: RemoteOptions;
  readonly #gone = new Cancellation();
  #mail: string;
  #reply = '';

  /** @param mail where the other instance takes letters about the call */
  constructor(options: RemoteOptions, mail: string) {
    this.#options = options;
    this.#mail = mail;
  }

  /** @throws GatewayError request_state_expired when nobody takes the letter, store_unavailable */
  async answer(inputResponses: Fields): Promise<void> {
    const { mailbox, clock } = this.#options;
    const [receipt, reply, next] = await Promise.all([address(mailbox), address(mailbox), address(mailbox)]);
    await post(mailbox, this.#mail, { inputResponses, receipt, reply, next });
    this.#mail = next;
    this.#reply = reply;
    await withDeadline(clock, RECEIPT_MS, this.#gone, (signal) => mailbox.wait(receipt, signal)).catch((error) => {
      throw toGatewayError(error).code === 'upstream_timeout' ? requestStateExpired() : error;
    });
  }

  async next(tell: Tell): Promise<Turn> {
    // whatever comes to this address was written by an instance
    const reply = JSON.parse(await this.#options.mailbox.wait(this.#reply, this.#gone)) as Reply;
    for (const notification of reply.told) tell(notification);
    if (reply.turn) return reply.turn;
    const { code = 'internal', message = 'the call failed' } = reply.failure ?? {};
    throw new GatewayError(code, message);
  }

  async cancel(reason: GatewayError): Promise<void> {
    this.#gone.abort(reason);
    // where the store is gone the call ends by itself, when its time is over
    await post(this.#options.mailbox, this.#mail, { left: reason.message }).catch(() => undefined);
  }
}

/** Serves a call that waits here for a caller whose answers come in elsewhere, until it ends. Never rejects. */
export async function serveElsewhere(options: RemoteOptions, call: WaitingCall, first: Letter): Promise<void> {
  try {
    let letter = first;
    while ('receipt' in letter) {
      const { mailbox } = options;
      await mailbox.post(letter.receipt, SCOPE, '');
      const done = new Cancellation();
      const following = awaitLetter(options, letter.next, done);
      void following.then((next) => endIfLeft(call, next)).catch(() => undefined);
      const reply = await goOn(call, letter.inputResponses);
      await mailbox.post(letter.reply, SCOPE, JSON.stringify(reply));
      if (reply.turn?.kind !== 'asks') return done.abort(requestStateExpired());
      letter = await following;
    }
    await endIfLeft(call, letter);
  } catch (error) {
    await call.cancel(toGatewayError(error));
  }
}

/** The next letter about a call. @throws GatewayError request_state_expired, store_unavailable, the reason of `signal` */
export async function awaitLetter(
  { mailbox, clock }: RemoteOptions,
  mail: string,
  signal: CancelSignal,
): Promise<Letter> {
  // only instances know this address
  return JSON.parse(await withDeadline(clock, PARKED_MS, signal, (ends) => mailbox.wait(mail, ends))) as Letter;
}

/** An address for letters about a call. */
export const address = (mailbox: RemoteOptions['mailbox']): Promise<string> => mailbox.address(SCOPE);

const post = (mailbox: RemoteOptions['mailbox'], to: string, letter: Letter): Promise<void> =>
  mailbox.post(to, SCOPE, JSON.stringify(letter));

async function goOn(call: WaitingCall, inputResponses: Fields): Promise<Reply> {
  const told: Fields[] = [];
  try {
    await call.answer(inputResponses);
    return { turn: await call.next((notification) => void told.push(notification)), told };
  } catch (thrown) {
    const { code, message } = toGatewayError(thrown);
    return { failure: { code, message }, told };
  }
}

async function endIfLeft(call: WaitingCall, letter: Letter): Promise<void> {
  if ('left' in letter) await call.cancel(new GatewayError('call_cancelled', letter.left));
}
