import type { CancelSignal } from '../base/cancel-signal.ts';
import type { GatewayError } from '../base/errors.ts';
import type { CertificateFacts } from '../pki/certificate.ts';
import type { ProfileFingerprint, TlsProfile } from './profile.ts';

/** What a runtime's dialer can honour; a profile that needs more is refused when it is configured. */
export interface DialerCapabilities {
  readonly caOnly: boolean;
  readonly caAdd: boolean;
  readonly clientCertificate: boolean;
  readonly encryptedKey: boolean;
  readonly serverName: boolean;
  readonly skipHostname: boolean;
  readonly skipVerify: boolean;
  readonly minVersion: boolean;
  readonly crl: boolean;
  /** Whether server certificates are looked up by OCSP. */
  readonly ocsp: boolean;
  readonly pins: boolean;
  readonly peerCertificate: boolean;
  readonly http2: boolean;
  readonly dynamicIdentity: boolean;
  /** Whether the platform has identities of its own, which are presented by name. */
  readonly binding: boolean;
  readonly errorDetail: 'alert' | 'code' | 'none';
  readonly forceKill: boolean;
}

/** What a runtime's listener can honour of callers' certificates and of its own. */
export interface ListenerCapabilities {
  /** Whether callers can be asked for a certificate, and refused for a wrong one. */
  readonly requestCertificate: boolean;
  /** Whether the certificate a caller showed can be seen. */
  readonly peerCertificate: boolean;
  /** Whether callers' certificates are looked up in revocation lists. */
  readonly crl: boolean;
  /** Whether callers' certificates are looked up by OCSP. */
  readonly ocsp: boolean;
  /** Whether the status of our own certificate can be stapled. */
  readonly staple: boolean;
  /** Whether certificates change without a restart. */
  readonly hotSwap: boolean;
  /** Whether the cipher suites it is told are those it speaks, in every version of TLS. */
  readonly ciphers: boolean;
}

/** Opens connections; one implementation per runtime. Never asked which runtime it is, only what it can do. */
export interface Dialer {
  readonly name: string;
  readonly capabilities: DialerCapabilities;
  /** The names of the platform's own identities; absent where it has none. */
  readonly bindings?: ReadonlySet<string>;
  /**
   * A channel to one origin with one profile; connects on first use. `profile` is undefined for `http:` origins,
   * where no TLS work of any kind is done.
   *
   * @throws GatewayError capability_unsupported, config codes; never a dial error.
   */
  open(profile: TlsProfile | undefined, origin: string): Promise<Channel>;
  /**
   * One handshake for people to read: with our identity and full checks, and, when the peer was not accepted, a
   * second one without identity that only looks at what the peer presents. Sends no application data.
   */
  examine(profile: TlsProfile, origin: string, signal: AbortSignal): Promise<HandshakeReport>;
  /** Closes what channels share; channels must have been closed before. */
  close(): Promise<void>;
}

/** What one handshake showed; `error` says why it failed, undefined when it did not. */
export interface HandshakeReport {
  readonly ok: boolean;
  readonly origin: string;
  readonly protocol: string | undefined;
  readonly cipher: string | undefined;
  readonly alpn: string | undefined;
  readonly serverName: string;
  /** The server's chain, leaf first, as far as it was presented. */
  readonly peerChain: readonly CertificateFacts[];
  /** The leaf certificate we presented, if any. */
  readonly presented: CertificateFacts | undefined;
  readonly error: GatewayError | undefined;
}

/** One HTTP request. */
export interface ChannelRequest {
  readonly method: string;
  /** Path and query, starting with `/`. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: CancelSignal | undefined;
  /** Whose request this is, for `Channel.end`. */
  readonly group?: object | undefined;
  /** Milliseconds to the response headers; absent means the dialer's default, 0 means no limit. */
  readonly headersTimeoutMs?: number | undefined;
  /**
   * Called once when the response body has ended, was cancelled, or failed (then with the failure); never when `send`
   * itself throws.
   */
  readonly onEnd?: ((failure: GatewayError | undefined) => void) | undefined;
}

/** The head of a response, and its body to be read in one of three ways. */
export interface ChannelResponse {
  readonly status: number;
  /** Lower-case names; repeated fields joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** The whole body. @throws GatewayError upstream_too_large above `limitBytes`, connection_lost, upstream_timeout. */
  text(limitBytes: number): Promise<string>;
  /** The body as text when all of it fits in `bufferBytes`, else all of it as a stream. Use one of the three, once. */
  body(bufferBytes: number): Promise<string | ReadableStream<Uint8Array>>;
  /** The body as it arrives; cancelling it closes the request. */
  stream(): ReadableStream<Uint8Array>;
}

/** The certificates a peer showed: DER, leaf first. */
export type PeerChain = readonly Uint8Array[];

/** What was ended at once. */
export interface CutCount {
  readonly connections: number;
  /** Requests that were under way on them. */
  readonly requests: number;
}

/** One origin, one profile, immutable. Redirects are never followed. A request is sent at most once. */
export interface Channel {
  readonly origin: string;
  readonly fingerprint: ProfileFingerprint | undefined;
  /** Requests whose response body has not ended. */
  readonly active: number;
  /** True once drain or destroy began: such a channel takes no new requests. */
  readonly closed: boolean;
  /**
   * Resolves with the response headers. Its body must be read, cancelled or aborted: one nobody reads may hold its
   * connection.
   *
   * @throws GatewayError with a dial code, channel_closed when drain or destroy began before it had a connection, or
   *   request_invalid for what HTTP cannot carry; the signal's reason, unchanged, when it is aborted.
   */
  send(request: ChannelRequest): Promise<ChannelResponse>;
  /**
   * Opens connections ahead of the requests that will need them, until there are `count`. One that no request takes
   * within seconds is closed again. Resolves when all are open or have failed; never rejects.
   */
  warm(count: number): Promise<void>;
  /**
   * The chains that peers of open connections showed, each once; a resumed connection shows that of its full handshake.
   * Empty where the dialer cannot see them (`peerCertificate`).
   */
  peers(): readonly PeerChain[];
  /** Ends the connections whose peer showed one of these chains, and resumes none of their sessions; requests on them fail with `error`. */
  cut(chains: readonly PeerChain[], error: GatewayError): CutCount;
  /** Ends the requests of a group with `error`, closing connections whose response was not complete; how many. */
  end(group: object, error: GatewayError): number;
  /**
   * Opens no connection from now on: new requests, and those that have no connection yet, are refused unsent. Lets the
   * others finish, and cuts what is left after `deadlineMs`; resolves with that count.
   */
  drain(deadlineMs: number): Promise<number>;
  /** Ends everything now; bodies being read fail with `error`. Idempotent: later calls count nothing. */
  destroy(error: GatewayError): CutCount;
}
