import type { CancelSignal } from '../base/cancel-signal.ts';
import { GatewayError } from '../base/errors.ts';
import type { ErrorCode } from '../base/errors.ts';
import { grantUpkeep, type Grant } from '../policy/grant.ts';
import type { ChannelCache } from '../tls/channel-cache.ts';
import type { ChannelResponse, HandshakeReport } from '../tls/dialer.ts';
import type { JsonRpcResponse } from '../wire/json-rpc.ts';
import { Breaker } from './breaker.ts';
import { connect } from './connect.ts';
import { gatewayErrorOf, untilAborted } from './deadline.ts';
import type { UpstreamFacts } from './facts.ts';
import { Health, type Attempt, type HealthState } from './health.ts';
import { healthReport, judgeOf } from './judge.ts';
import { Link, type CarryObserver } from './link.ts';
import { OwnCalls } from './own-calls.ts';
import { OwnListings, type ListingNews } from './own-listings.ts';
import { messageOf, type Answer, type Params } from './own-request.ts';
import { reachReport } from './reach-report.ts';
import type { SharedSession } from './shared-session.ts';
import { assertAlive, lifeSignMethod } from './sign-of-life.ts';
import type { UpstreamRequest, UpstreamTransport } from './transport.ts';
import { placeOf, type EventLabel, type UpstreamConfig } from './upstream-config.ts';
import type { WaysDeps } from './ways.ts';

export interface UpstreamDeps extends WaysDeps {
  readonly channels: ChannelCache;
  /** Uniform in [0, 1), for back-off jitter; default Math.random. */
  readonly random?: () => number;
  /** Told when a listing was said to have changed, and when one reads differently than before. */
  readonly onListing?: (upstream: Upstream, news: ListingNews) => void;
  /** Told when it begins to fail. */
  readonly onFailing?: (upstream: Upstream, code: ErrorCode, during: Attempt) => void;
}

/** One server behind us, reached with one identity over one channel on every path. Fails with GatewayError only. */
export class Upstream {
  readonly config: UpstreamConfig;
  readonly listings: OwnListings;
  /** What it carries, and what ends connections before their time. */
  readonly connections: Pick<Link, 'active' | 'warm' | 'withdraw' | 'cut'>;
  readonly #deps: UpstreamDeps;
  readonly #link: Link;
  readonly #breaker: Breaker;
  readonly #judge: CarryObserver;
  readonly #health: Health;
  readonly #own: OwnCalls;
  #facts: UpstreamFacts | undefined;
  #transport: UpstreamTransport | undefined;
  #connecting: Promise<UpstreamFacts> | undefined;
  #successor: Upstream | undefined;

  /**
   * Dials nothing yet.
   *
   * @param facts what an earlier connect learned
   * @throws GatewayError config_invalid for credentials no header can carry, capability_unsupported for a program
   */
  constructor(config: UpstreamConfig, deps: UpstreamDeps, facts?: UpstreamFacts) {
    const { clock, events, random = Math.random } = deps;
    const label: EventLabel = { gateway: config.slug, ...(config.insecureTls && { insecureTls: true }) };
    this.config = config;
    this.#deps = deps;
    this.#link = new Link(config, deps, label);
    this.connections = this.#link;
    this.#breaker = new Breaker(clock, random);
    const report = healthReport(events, label, (code, during) => deps.onFailing?.(this, code, during));
    this.#health = new Health(clock, this.#breaker, report);
    this.#judge = judgeOf(this.#health);
    const carry = (request: UpstreamRequest, observer?: CarryObserver) =>
      this.#link.carry(this.#transport ?? this.#link.first, request, observer);
    this.#own = new OwnCalls({
      clock,
      send: (request) => carry(request),
      lifetime: this.#link.signal,
      successor: () => this.#late?.sharedSession(grantUpkeep('session')),
      onRenewed: () => {
        events('upstream.session_renewed', label);
        this.listings.watchAnew();
      },
    });
    this.#link.beforeClose(() => this.#own.farewell(this.#own.sessions.current?.headers));
    this.listings = new OwnListings({
      clock,
      random,
      health: this.#health,
      facts: () => this.#facts,
      learn: (learned) => this.#learn(learned),
      connect: (grant) => this.connect(grant),
      call: (grant, method, params) => this.call(grant, method, params),
      send: (request) => carry(request, this.#judge),
      session: () => this.#own.sessions.get(),
      onNews: (news) => deps.onListing?.(this, news),
    });
    if (facts) {
      this.#learn(facts);
      this.listings.adopt(facts);
    } else this.#transport = this.#link.chosen;
  }

  /** What the last connect learned; undefined until there was one. */
  get facts(): UpstreamFacts | undefined {
    return this.#facts;
  }

  get health(): HealthState {
    return this.#health.state;
  }

  /**
   * Dials, learns transport and eras, and lists everything; whoever asks meanwhile shares the outcome.
   *
   * @throws GatewayError dial codes, upstream_auth_refused, upstream_redirect, upstream_http_status, upstream_protocol,
   * upstream_timeout, upstream_too_large, call_cancelled, channel_closed
   */
  connect(_grant: Grant, signal?: CancelSignal): Promise<UpstreamFacts> {
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = undefined));
    return untilAborted(this.#connecting, signal);
  }

  /**
   * Sends one HTTP request as it is, with our credentials; statuses of any kind are answers. A request that only reads
   * is sent again when its connection was lost, any other is sent once.
   *
   * @throws GatewayError upstream_unavailable while the breaker is open, dial codes, upstream_timeout, call_cancelled,
   * channel_closed
   */
  async send(grant: Grant, request: UpstreamRequest): Promise<ChannelResponse> {
    if (this.#late) return this.#late.send(grant, request);
    try {
      const transport = this.#transport ?? this.#link.transport((await this.connect(grant, request.signal)).transport);
      this.#breaker.admit();
      return await this.#link.carry(transport, request, this.#judge);
    } catch (error) {
      const late = this.#lateAfter(error);
      if (late) return late.send(grant, request);
      throw error;
    }
  }

  /** The gateway's own legacy session, for callers that have none. @throws GatewayError as `connect` */
  async sharedSession(grant: Grant, signal?: CancelSignal): Promise<SharedSession> {
    if (this.#late) return this.#late.sharedSession(grant, signal);
    try {
      if (this.#transport === undefined) await this.connect(grant, signal);
      return this.#own.sessions.current ?? (await untilAborted(this.#own.sessions.get(), signal));
    } catch (error) {
      const late = this.#lateAfter(error);
      if (late) return late.sharedSession(grant, signal);
      throw error;
    }
  }

  /**
   * One request of the gateway's own, in whichever era the upstream speaks; its answer, result or error.
   *
   * @throws GatewayError as `connect`, and upstream_session_lost, upstream_unavailable
   */
  async call(grant: Grant, method: string, params: Params, signal?: CancelSignal): Promise<JsonRpcResponse> {
    if (this.#late) return this.#late.call(grant, method, params, signal);
    if (this.#transport === undefined) await this.connect(grant, signal);
    this.#breaker.admit();
    try {
      const message = messageOf(await this.#ask(method, params, signal), method);
      this.#health.succeeded();
      return message;
    } catch (thrown) {
      const late = this.#lateAfter(thrown);
      if (late) return late.call(grant, method, params, signal);
      const error = gatewayErrorOf(thrown, signal);
      this.#health.callFailed(error);
      throw error;
    }
  }

  /**
   * Asks the upstream for a sign of life, over the same channel as every call, also while the breaker is open; connects
   * first where that has not happened. Never throws: failures are in the state.
   */
  async probe(grant: Grant, signal?: CancelSignal): Promise<HealthState> {
    if (this.#facts === undefined) {
      // a failure is in the state already
      await this.connect(grant, signal).catch(() => undefined);
      return this.health;
    }
    const method = lifeSignMethod(this.#facts);
    try {
      assertAlive(await this.#ask(method, {}, signal), method);
      this.#health.succeeded();
    } catch (error) {
      this.#health.attemptFailed(gatewayErrorOf(error, signal), 'probe');
      // a connection nobody speaks on may be gone without a word
      this.listings.watchAnew();
    }
    return this.health;
  }

  /** A handshake for people to read, with the same identity; where there is none to see, only whether it answers. */
  async examine(signal: AbortSignal): Promise<HandshakeReport> {
    const { profile, target } = this.config;
    if (profile && this.#deps.channels.showsPeers)
      return this.#deps.channels.examine(profile, placeOf(target).origin, signal);
    return reachReport(this.config, (await this.probe(grantUpkeep('check'), signal)).reason);
  }

  /** Whoever still holds this upstream once it is closed, is served by the one in its place. */
  succeededBy(successor: Upstream): void {
    this.#successor = successor;
  }

  /**
   * Ends the upstream: what is under way may finish within `drainMs`; how many requests and streams did not. Closing
   * again may make the time shorter, never longer. Never throws.
   */
  close(drainMs: number): Promise<number> {
    this.listings.unwatch();
    return this.#link.close(drainMs);
  }

  /** Has something said to the server before the channel is given back; `farewell` must not throw. */
  beforeClose(farewell: () => Promise<void>): void {
    this.#link.beforeClose(farewell);
  }

  /** Who serves a request that found this upstream before it was replaced, and comes after it was closed. */
  get #late(): Upstream | undefined {
    return this.#link.isOver ? this.#successor : undefined;
  }

  /** Who serves what was not sent because this upstream ended meanwhile. */
  #lateAfter(error: unknown): Upstream | undefined {
    return error instanceof GatewayError && error.code === 'channel_closed' ? this.#late : undefined;
  }

  async #connect(): Promise<UpstreamFacts> {
    const wasRead = this.listings.beginReadingAll();
    try {
      const { facts, session } = await connect({
        ways: this.#link.senders,
        clock: this.#deps.clock,
        earlier: this.#facts,
        era: this.config.protocolEra,
        signal: this.#link.signal,
      });
      this.#learn(facts);
      wasRead();
      if (session) await this.#own.adopt(session);
      this.#health.succeeded();
      return facts;
    } catch (thrown) {
      const error = gatewayErrorOf(thrown, this.#link.signal);
      this.#health.attemptFailed(error, 'connect');
      throw error;
    }
  }

  #learn(facts: UpstreamFacts): void {
    const { transport, listing } = this.#facts ?? {};
    if (transport && transport !== facts.transport) this.#own.sessions.forget();
    this.#facts = facts;
    this.#transport = this.#link.transport(facts.transport);
    if (listing !== facts.listing) this.#deps.onListing?.(this, 'new');
  }

  #ask(method: string, params: Params, signal: CancelSignal | undefined): Promise<Answer> {
    return this.#facts?.modern
      ? this.#own.askModern(method, params, signal)
      : this.#own.askLegacy(method, params, signal);
  }
}
