import type { CancelSignal } from '../../base/cancel-signal.ts';
import type { Clock } from '../../base/clock.ts';
import type { Fields } from '../../base/fields.ts';
import type { Grant } from '../../policy/grant.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import { withDeadline } from '../../upstream/deadline.ts';
import { ask, discard, legacyRequest } from '../../upstream/own-request.ts';
import type { SharedSession } from '../../upstream/shared-session.ts';
import type { UpstreamRequest } from '../../upstream/transport.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import { SESSION_ID } from '../../wire/headers.ts';
import type { JsonRpcMessage } from '../../wire/json-rpc.ts';
import { EVENTS_TYPE, POST_HEADERS } from '../../wire/media-types.ts';

/** On whose behalf a session is used. */
export interface Caller {
  readonly grant: Grant;
  /** What it may be asked; see `askingCapabilities`. */
  readonly capabilities: Fields;
  /** Headers of its request that go upstream; lower-case names, no credentials of the gateway's callers. */
  readonly passed: Readonly<Record<string, string>>;
}

/** What is said after the fact may take this long; nobody waits for it. */
const AFTERWORD_MS = 2_000;

/** A legacy session with an upstream, as one call uses it. */
export class Leg {
  readonly upstream: Upstream;
  readonly headers: Readonly<Record<string, string>>;
  readonly nextId: () => number;
  readonly #clock: Clock;
  /** The severity the server was told last. */
  #level: string | undefined;

  constructor(upstream: Upstream, session: Pick<SharedSession, 'headers' | 'nextId'>, clock: Clock) {
    this.upstream = upstream;
    this.headers = session.headers;
    this.nextId = session.nextId;
    this.#clock = clock;
  }

  /** Whether the server keeps a session; where it does not, every request stands alone. */
  get hasSession(): boolean {
    return SESSION_ID in this.headers;
  }

  /** Posts one message; statuses of any kind are answers. */
  post(
    { grant, passed }: Caller,
    message: JsonRpcMessage,
    mcpMethod: string,
    signal?: CancelSignal,
  ): Promise<ChannelResponse> {
    const body = JSON.stringify(message);
    const headers = { ...passed, ...POST_HEADERS, ...this.headers };
    return this.upstream.send(grant, { method: 'POST', headers, body, mcpMethod, signal });
  }

  /** Opens the stream on which the server speaks unasked, or the rest of one that broke. */
  open(
    { grant, passed }: Caller,
    extra: Readonly<Record<string, string>>,
    signal: CancelSignal,
  ): Promise<ChannelResponse> {
    const headers = { ...passed, accept: EVENTS_TYPE, ...this.headers, ...extra };
    return this.upstream.send(grant, { method: 'GET', headers, mcpMethod: 'GET', signal });
  }

  /** Asks for log lines of at least this severity; a server that refuses just logs as it does. */
  async setLevel({ grant, passed }: Caller, level: string, signal: CancelSignal): Promise<void> {
    if (this.#level === level) return;
    const request = legacyRequest(this.nextId(), 'logging/setLevel', { level }, { ...passed, ...this.headers });
    const send = (sent: UpstreamRequest) => this.upstream.send(grant, sent);
    await withDeadline(this.#clock, LEVEL_MS, signal, (ends) => ask(send, request, ends));
    this.#level = level;
  }

  /** Posts what needs no answer and is nobody's failure: it matters to no caller whether it is heard. */
  async tell(caller: Caller, message: JsonRpcMessage, label: string): Promise<void> {
    await this.#afterword((signal) => this.post(caller, message, label, signal));
  }

  /** Ends the session at the server. Never throws. */
  async end({ grant }: Pick<Caller, 'grant'>): Promise<void> {
    if (!this.hasSession) return;
    const { headers } = this;
    await this.#afterword((signal) =>
      this.upstream.send(grant, { method: 'DELETE', headers, mcpMethod: 'DELETE', signal }),
    );
  }

  async #afterword(send: (signal: AbortSignal) => Promise<ChannelResponse>): Promise<void> {
    await withDeadline(this.#clock, AFTERWORD_MS, undefined, async (signal) => discard(await send(signal))).catch(
      () => undefined,
    );
  }
}

const LEVEL_MS = 10_000;
