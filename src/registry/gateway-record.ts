/**
 * registry: gateways as operators know them.
 *
 * Owns their fields, the stored record, what people see of it, and the snapshot of upstreams that serves traffic. Must
 * not know HTTP, sessions or what a request asks for.
 *
 * A gateway here is what the REST API calls one: a registered MCP server and how it is reached. What serves it is an
 * Upstream; «the gateway» in messages is this program.
 */
import type { Secret } from '../base/secret.ts';
import type { TlsVersion } from '../tls/profile.ts';
import type { ProtocolEra, TransportChoice } from '../upstream/upstream-config.ts';
import type { Sealed } from '../vault/vault.ts';

/** PEM text, or the path of a file that is read again at every load. */
export type PemSource = { readonly pem: string } | { readonly file: string };

/** Revocation lists: as other PEM, or http and https URLs of one list each. */
export type ListSource = PemSource | { readonly urls: readonly string[] };

/** A private key: sealed (`S` at rest), or the path of a file. */
export type KeySource<S> = S | { readonly file: string };

/** How a gateway logs in; `S` is what a secret is here: sealed at rest, plain or sealed while being changed. */
export type GatewayAuth<S> =
  | { readonly type: 'none' }
  | { readonly type: 'basic'; readonly username: string; readonly password: S }
  | { readonly type: 'bearer'; readonly token: S }
  | { readonly type: 'authheaders'; readonly headers: Readonly<Record<string, S>> }
  | { readonly type: 'query_param'; readonly key: string; readonly value: S };

/** What we present; `S` as in GatewayAuth. */
export interface GatewayIdentity<S> {
  readonly clientCert?: PemSource | undefined;
  readonly clientKey?: KeySource<S> | undefined;
  readonly clientKeyPassword?: S | undefined;
  /** The name of an identity the platform has, instead of the three above. */
  readonly clientBinding?: string | undefined;
}

/** The identity to come, with the trust to come; `S` as in GatewayAuth. */
export interface NextIdentity<S> extends GatewayIdentity<S> {
  readonly caCertificate?: PemSource | undefined;
}

/** What was current before the last promotion, of which the server may still know; `S` as in GatewayAuth. */
export interface RetiringIdentity<S> extends NextIdentity<S> {
  /** Present where the default set was believed, as no certificates of authorities were given. */
  readonly defaultSet?: true | undefined;
}

/** The TLS side of a gateway; what is absent has its default. `S` as in GatewayAuth. */
export interface GatewayTls<S> extends GatewayIdentity<S> {
  readonly caCertificate?: PemSource | undefined;
  readonly caMode?: 'only' | 'add' | undefined;
  readonly serverName?: string | undefined;
  readonly checkHostname?: boolean | undefined;
  readonly verify?: boolean | undefined;
  readonly minTlsVersion?: TlsVersion | undefined;
  readonly crl?: ListSource | undefined;
  /** Absent means none. */
  readonly revocation?: 'ocsp' | undefined;
  readonly pins?: readonly string[] | undefined;
  readonly next?: NextIdentity<S> | undefined;
  readonly retiring?: RetiringIdentity<S> | undefined;
}

/** A TLS side that was in force; `S` as in GatewayAuth. */
export interface FormerTls<S> {
  readonly tls: GatewayTls<S>;
  /** As in GatewayConfig, when it was replaced. */
  readonly material?: string | undefined;
}

/** What is kept for people and scripts, and decides nothing. */
export interface GatewayLabels {
  readonly tags?: readonly string[] | undefined;
  readonly teamId?: string | undefined;
  readonly ownerEmail?: string | undefined;
  readonly visibility?: 'private' | 'team' | 'public' | undefined;
  readonly signingAlgorithm?: 'ed25519' | undefined;
}

/** A program that is started and spoken to over its standard streams; `S` as in GatewayAuth. */
export interface GatewayProgram<S> {
  /** An absolute path, or a name that is looked up. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, S>>;
  readonly cwd?: string | undefined;
}

/** A gateway's configuration; `S` as in GatewayAuth. */
export interface GatewayConfig<S> {
  readonly id: string;
  /** Made of the name at registration; a new name does not change it, since clients have it in their addresses. */
  readonly slug: string;
  readonly name: string;
  readonly description?: string | undefined;
  /** Where the server is; undefined for a program. */
  readonly url?: string | undefined;
  readonly transport: TransportChoice | 'stdio';
  /** What is started; undefined for a server behind a URL. */
  readonly program?: GatewayProgram<S> | undefined;
  /** Absent means auto. */
  readonly protocolEra?: ProtocolEra | undefined;
  readonly prefix: string;
  readonly enabled: boolean;
  readonly passthroughHeaders: readonly string[];
  readonly refreshIntervalSeconds?: number | undefined;
  readonly requestTimeoutSeconds?: number | undefined;
  readonly auth: GatewayAuth<S>;
  readonly tls: GatewayTls<S>;
  /** What the TLS side was before its last change. */
  readonly previous?: FormerTls<S> | undefined;
  /** Names what the TLS side stood for when it was last changed, its files read; undefined without TLS. */
  readonly material?: string | undefined;
  readonly labels: GatewayLabels;
}

/** Who wrote a record when; times are ISO 8601. */
export interface RecordHistory {
  readonly createdAt: string;
  readonly createdBy: string;
  readonly updatedAt: string;
  readonly updatedBy: string;
  /** 1 at registration, one more with each change. */
  readonly revision: number;
}

/** A gateway as it is stored. */
export interface GatewayRecord extends GatewayConfig<Sealed> {
  readonly history: RecordHistory;
}

/** A gateway while it is being made or changed: secrets not touched are still sealed. */
export type GatewayDraft = GatewayConfig<Secret | Sealed>;

/** Whether a source names lists to fetch. */
export function isUrls(source: object): source is { readonly urls: readonly string[] } {
  return 'urls' in source;
}

/** Whether a source names a file. */
export function isFile(source: object): source is { readonly file: string } {
  return 'file' in source;
}
