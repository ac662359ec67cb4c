import { createHash, type X509Certificate } from 'node:crypto';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import { GatewayError } from '../../../src/index.ts';
import type { Certificate, Clock, ErrorCode, EventSink, PeerChain, TlsProfile } from '../../../src/index.ts';
import { classifyDial, connectTimeout } from '../channel/classify.ts';
import type { Connect, Connection, DialFacts } from '../channel/connection.ts';
import type { AddressGuard } from './address-guard.ts';
import type { PeerCheck } from './peer-check.ts';
import { nameOf, rawOf, shownChain, withoutAnchors } from './shown-chain.ts';
import type { KeptSession, SessionKeeper } from './session-keeper.ts';

export interface DialDeps {
  readonly events: EventSink;
  readonly clock: Clock;
  readonly guard: AddressGuard;
  /** Milliseconds for DNS, TCP and TLS together. */
  readonly connectTimeoutMs: number;
  /** Shown the socket of a handshake that fails, and the server's certificate where it got that far. */
  readonly onGlimpse?: (secure: TLSSocket, shown: X509Certificate) => void;
}

/** The TLS side of a dial; absent for `http:` origins. */
export interface TlsDial {
  readonly profile: TlsProfile;
  readonly context: SecureContext;
  readonly sessions: SessionKeeper;
  /** What the handshake itself leaves out. */
  readonly checkPeer?: PeerCheck | undefined;
  /** What the runtime may have added to the chain a server showed. */
  readonly added?: readonly Certificate[];
}

/** Opens connections to one origin: DNS, TCP and, for `https:`, a handshake, all within one deadline. */
export function createConnect(origin: string, tls: TlsDial | undefined, deps: DialDeps): Connect {
  const url = new URL(origin);
  const host = hostOf(url);
  const port = Number(url.port || (tls ? 443 : 80));
  const literal = deps.guard.refuseLiteral(host);

  return (done) => {
    if (literal) {
      queueMicrotask(() => done(literal, undefined));
      return () => {};
    }
    const attempt = new Attempt({ origin, host, port, tls }, deps, done);
    return () => attempt.giveUp();
  };
}

/** The host of a URL as sockets and certificates take it: an IPv6 address without its brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

interface Target {
  readonly origin: string;
  readonly host: string;
  readonly port: number;
  readonly tls: TlsDial | undefined;
}

/** One connection being opened; ends exactly once. */
class Attempt {
  readonly #target: Target;
  readonly #deps: DialDeps;
  readonly #done: Parameters<Connect>[0];
  readonly #cancelDeadline: () => void;
  readonly #tcp: Socket;
  #secure: TLSSocket | undefined;
  #offered: KeptSession | undefined;
  #stapled: Uint8Array | undefined;
  /** Asked once: Node 22 and 24 tell the certificate of a TLS 1.2 handshake that failed one time only. */
  #shown: X509Certificate | undefined;
  #over = false;

  constructor(target: Target, deps: DialDeps, done: Parameters<Connect>[0]) {
    this.#target = target;
    this.#deps = deps;
    this.#done = done;
    this.#cancelDeadline = deps.clock.after(deps.connectTimeoutMs, this.#onDeadline);
    const { host, port } = target;
    this.#tcp = connectTcp({
      host,
      port,
      lookup: deps.guard.lookup,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
    });
    this.#tcp.once('connect', this.#onTcp);
    this.#tcp.on('error', this.#onError);
  }

  giveUp(): void {
    if (this.#over) return;
    this.#end();
    this.#destroy();
  }

  readonly #onTcp = (): void => {
    const { origin, host, tls } = this.#target;
    this.#deps.events('connection.opened', { origin, tls: tls !== undefined });
    if (!tls) return this.#succeed(this.#tcp, undefined, []);
    const { profile, context, sessions } = tls;
    const name = profile.serverName ?? host;
    const offered = (this.#offered = sessions.offer());
    const secure = connectTls({
      socket: this.#tcp,
      secureContext: context,
      // RFC 6066 section 3 allows no addresses in SNI; the certificate is checked against the name all the same.
      servername: isIP(name) ? '' : name,
      // Explicit, or NODE_TLS_REJECT_UNAUTHORIZED=0 would decide.
      rejectUnauthorized: profile.verify,
      checkServerIdentity: (_, certificate) =>
        profile.checkHostname ? checkServerIdentity(name, certificate) : undefined,
      ALPNProtocols: ['http/1.1'],
      ...(profile.ocsp && { requestOCSP: true }),
      ...(offered && { session: offered.session }),
    });
    this.#secure = secure;
    secure.on('error', this.#onError);
    secure.once('OCSPResponse', (response: Buffer | null) => (this.#stapled = response ?? undefined));
    secure.once('secureConnect', this.#onSecure);
  };

  readonly #onSecure = (): void => {
    const { tls } = this.#target;
    const secure = this.#secure;
    if (!tls || !secure) return;
    const shown = secure.isSessionReused() ? undefined : secure.getPeerX509Certificate();
    this.#shown = shown;
    const refusal =
      tls.profile.verify && !secure.authorized ? unverified(secure) : pinMismatch(shown, tls.profile.pins);
    if (refusal) return this.#fail(refusal);
    if (secure.isSessionReused()) return this.#succeed(secure, secure, this.#offered?.peer ?? []);
    const peer = rawOf(withoutAnchors(shownChain(shown), tls.added ?? []));
    if (tls.checkPeer) void this.#succeedIfGood(secure, peer, tls.checkPeer);
    else this.#succeed(secure, secure, peer);
  };

  /** Nothing was sent yet, and nothing is where the answer is no. */
  async #succeedIfGood(secure: TLSSocket, peer: PeerChain, check: PeerCheck): Promise<void> {
    const refusal = await check({ secure, peer, stapled: this.#stapled });
    if (refusal) this.#fail(refusal);
    else if (secure.destroyed) this.#onError(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
    else this.#succeed(secure, secure, peer);
  }

  readonly #onError = (error: Error): void => {
    const shown = (this.#shown ??= this.#secure?.getPeerX509Certificate());
    if (this.#secure && shown) this.#deps.onGlimpse?.(this.#secure, shown);
    this.#fail(classifyDial(error, this.#facts(shown !== undefined)));
  };

  readonly #onDeadline = (): void => {
    const met = this.#secure ? 'the TLS handshake did not finish' : 'no connection was made';
    this.#fail(connectTimeout(`${this.#target.host}:${this.#target.port}`, met));
  };

  #succeed(socket: Socket | TLSSocket, secure: TLSSocket | undefined, peer: PeerChain): void {
    if (this.#over) return;
    const facts = this.#facts(true);
    const tls = secure !== undefined;
    const connection: Connection = { socket, tls, facts, peer, alert: undefined, answered: false };
    this.#end();
    if (secure) {
      // Only now: the session of a server that was refused would let it in, for a resumed handshake checks no name.
      secure.on('session', (session) => this.#target.tls?.sessions.keep(session, peer));
      secure.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code?.startsWith('ERR_SSL_')) connection.alert ??= error;
      });
      this.#report('ok', secure);
    }
    this.#done(undefined, connection);
  }

  #fail(error: GatewayError): void {
    if (this.#over) return;
    this.#end();
    this.#destroy();
    if (this.#secure) this.#report(error.code, this.#secure);
    this.#done(error, undefined);
  }

  /** From here on failures of the socket are somebody else's; the idle listener keeps them from being uncaught. */
  #end(): void {
    this.#over = true;
    this.#cancelDeadline();
    for (const socket of [this.#tcp, this.#secure]) socket?.off('error', this.#onError).on('error', () => {});
  }

  #destroy(): void {
    this.#secure?.destroy();
    this.#tcp.destroy();
  }

  #facts(serverShown: boolean): DialFacts {
    const { host, port, tls } = this.#target;
    return {
      host,
      port,
      presented: tls?.profile.identity !== undefined,
      handshaking: this.#secure !== undefined,
      serverShown,
    };
  }

  #report(outcome: 'ok' | ErrorCode, secure: TLSSocket): void {
    const { origin, tls } = this.#target;
    if (!tls) return;
    const { fingerprint } = tls.profile;
    const subject = this.#shown && nameOf(this.#shown.subject);
    if (outcome !== 'ok') return this.#deps.events('handshake.finished', { fingerprint, origin, outcome, subject });
    const protocol = secure.getProtocol() ?? 'unknown';
    this.#deps.events('handshake.finished', {
      fingerprint,
      origin,
      outcome,
      protocol,
      resumed: secure.isSessionReused(),
      subject,
    });
  }
}

/** Node ends an unverified handshake by itself; this holds should a flag or a version ever make it forget. */
function unverified(secure: TLSSocket): GatewayError {
  const reason = String(secure.authorizationError);
  return new GatewayError('tls_handshake_failed', 'the server certificate was not verified', { details: { reason } });
}

function pinMismatch(shown: X509Certificate | undefined, pins: readonly string[]): GatewayError | undefined {
  if (pins.length === 0) return undefined;
  const spki = shown?.publicKey.export({ type: 'spki', format: 'der' });
  const pin = spki && createHash('sha256').update(spki).digest('base64');
  if (pin !== undefined && pins.includes(pin)) return undefined;
  return new GatewayError(
    'tls_pin_mismatch',
    `the server shows the key ${pin ?? 'of no certificate'}, which is not pinned`,
    {
      hint: 'if the server changed its key on purpose, add the new pin; otherwise somebody else answers in its place',
      details: { shown: pin, pins },
    },
  );
}
