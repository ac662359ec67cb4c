import type { ErrorCode } from './errors.ts';
import type { ListenerRefusal } from './listener-refusal.ts';

/**
 * Everything the gateway reports about itself. Logs, metrics and audit are sinks of these events; a field
 * that is not in an event's type cannot be logged, so no secret can be. Add an event here together with its level.
 */
export interface EventFields {
  'gateway.started': { readonly gateways: number };
  'gateway.stopping': { readonly reason: string; readonly inFlight: number };
  'gateway.stopped': { readonly cut: number };
  'config.warned': { readonly setting: string; readonly message: string };
  'listener.reloaded': { readonly subject: string; readonly notAfter: string };
  'listener.kept': { readonly code: ErrorCode; readonly message: string };
  /** Connections of callers whose certificate is not accepted any more. */
  'listener.cut': { readonly connections: number; readonly why: 'trust' | 'revoked' | 'pin' | 'expired' | 'unknown' };
  'listener.refused': { readonly reason: ListenerRefusal; readonly subject?: string; readonly address?: string };
  /** Connections whose server OCSP does not call good any more. */
  'upstream.refused': {
    readonly origin: string;
    readonly connections: number;
    readonly requests: number;
    readonly why: 'revoked' | 'unknown';
  };
  /** Where revocation is looked up, and what it says is missing or out of date; `source` is an address or a file. */
  'revocation.failing': RevocationSource & { readonly code: ErrorCode; readonly message: string };
  'revocation.recovered': RevocationSource;
  /** A peer that was let in though nobody could say whether its certificate was revoked. */
  'revocation.passed': { readonly side: 'listener' | 'upstream'; readonly peer: string; readonly why: string };
  'gateway.first_start': { readonly dataDir: string; readonly next: string };
  'keys.generated': { readonly what: 'vault' | 'signing'; readonly path: string };
  /** Changes below this folder are found at the next look only; without `path` the system watches no more folders. */
  'files.unwatched': { readonly path?: string; readonly code: string };
  /** An authentication that failed; `method` is how it was tried, none for a caller without credentials. */
  'caller.refused': {
    readonly code: ErrorCode;
    readonly message: string;
    readonly method: 'token' | 'basic' | 'certificate' | 'none';
    /** Of the connection, not of whom a proxy speaks for. */
    readonly address: string | undefined;
  };
  /** The keys of an issuer of tokens, where they are others than before or can be had again. */
  'issuer.read': { readonly issuer: string; readonly keys: number };
  'issuer.failed': { readonly issuer: string; readonly code: ErrorCode; readonly message: string };
  /** Tokens of this gateway are verified with these keys now. */
  'token_keys.changed': { readonly kids: readonly string[] };
  /** What was named cannot be used; the keys stay as they were. */
  'token_keys.kept': { readonly code: ErrorCode; readonly message: string };
  'token.created': { readonly id: string; readonly subject: string; readonly by: string };
  'token.revoked': { readonly what: 'token' | 'jti' | 'subject'; readonly name: string; readonly by: string };
  'record.refused': { readonly record: string; readonly code: ErrorCode; readonly message: string };
  'rotation.written': { readonly generation: number; readonly by: string; readonly reason: string };
  'rotation.noticed': { readonly generation: number; readonly by: string; readonly reason: string };
  /** `lagMs` is the time since it was written, by the clocks of two machines. */
  'rotation.applied': {
    readonly generation: number;
    readonly reason: string;
    readonly durationMs: number;
    readonly lagMs: number;
  };
  /** The first of the reasons; `serving` is the generation in force. */
  'rotation.failed': {
    readonly generation: number;
    readonly reason: string;
    readonly serving: number;
    readonly name: string;
    readonly code: ErrorCode;
    readonly message: string;
  };
  'rotation.store_lost': { readonly code: ErrorCode; readonly message: string };
  'rotation.store_back': { readonly lostMs: number };
  'vault.rotated': { readonly kid: string; readonly resealed: number };
  'upstream.registered': UpstreamFields;
  'upstream.changed': UpstreamFields;
  'upstream.removed': UpstreamFields;
  /** An upstream was replaced or removed; `active` calls and streams of it may end in their time. */
  'upstream.draining': UpstreamFields & { readonly active: number };
  /** Nothing of it is left; `cut` calls and streams did not end in time. */
  'upstream.drained': UpstreamFields & { readonly cut: number };
  /** Connections that were ended at once, with the requests on them. */
  'upstream.cut': UpstreamFields & {
    readonly connections: number;
    readonly requests: number;
    readonly why: 'trust' | 'revoked' | 'pin' | 'expired' | 'operator';
  };
  'upstream.failed': UpstreamFields & { readonly code: ErrorCode; readonly message: string; readonly during: string };
  'upstream.recovered': UpstreamFields;
  /** The server refuses the identity in use and accepts this one, which is presented from now on. */
  'upstream.stands_in': UpstreamFields & { readonly presenting: 'current' | 'next' | 'retiring' };
  'upstream.session_renewed': UpstreamFields;
  'process.started': UpstreamFields & { readonly pid: number };
  /** `noise` counts lines on its standard output that were no messages. */
  'process.ended': UpstreamFields & {
    readonly pid: number;
    readonly exitCode: number | null;
    readonly signal: string | null;
    readonly noise: number;
    /** Whether nobody had asked it to end. */
    readonly unexpected: boolean;
  };
  /** The first line of a program that was no message; a stdio server must write its log to standard error. */
  'process.noisy': UpstreamFields & { readonly pid: number };
  'server.saved': { readonly server: string };
  'server.removed': { readonly server: string };
  'policy.changed': { readonly by: string; readonly rules: number };
  /**
   * A caller was refused. `action` is an MCP method, `connect` for an address as a whole, or an action of administration;
   * `target` is named as its upstream names it. `rule` denied it; null where none allows it.
   */
  'policy.refused': {
    readonly subject: string;
    readonly action: string;
    readonly rule: string | null;
    readonly server?: string;
    readonly gateway?: string;
    readonly target?: string;
  };
  'breaker.opened': UpstreamFields & { readonly retryInMs: number; readonly code: ErrorCode };
  'call.finished': UpstreamFields & {
    readonly method: string;
    readonly outcome: 'ok' | ErrorCode;
    readonly durationMs: number;
  };
  'handshake.finished': {
    readonly fingerprint: string;
    readonly origin: string;
    readonly outcome: 'ok' | ErrorCode;
    readonly protocol?: string;
    readonly resumed?: boolean;
    /** Of the certificate the server showed, where it got that far; a resumed session shows none. */
    readonly subject?: string | undefined;
  };
  'connection.opened': { readonly origin: string; readonly tls: boolean };
  'context.built': { readonly fingerprint: string; readonly durationMs: number };
  'cache.used': { readonly cache: 'context' | 'channel'; readonly outcome: 'hit' | 'miss' | 'evicted' | 'expired' };
  'channel.drained': { readonly origin: string; readonly cut: number };
  /** Credentials that came from there were refused too often; an IPv6 address is told by the hex of its /64. */
  'caller.slowed': { readonly address: string; readonly retryInMs: number };
  /** A call that has to wait; `tool` as its gateway names it. */
  'call.limited': {
    readonly rule: string;
    readonly subject: string;
    readonly gateway: string | undefined;
    readonly tool: string | undefined;
  };
  /** Limits are held by each instance for itself, since the store keeps no count any more. */
  'limits.apart': { readonly code: ErrorCode; readonly message: string };
  'limits.together': { readonly apartMs: number };
  /** `caller` where it is known: who was refused, and not what. */
  'request.refused': {
    readonly code: ErrorCode;
    readonly path: string;
    readonly caller?: CallerFields | undefined;
    readonly message?: string | undefined;
  };
  'request.failed': { readonly code: ErrorCode; readonly path: string; readonly message: string };
  /** A handshake with a caller who may come in; what it showed is verified. */
  'listener.handshake': {
    readonly address?: string | undefined;
    readonly protocol?: string | undefined;
    readonly subject?: string | undefined;
    readonly issuer?: string | undefined;
    readonly sha256?: string | undefined;
  };
  /** Once per credential and connection; `address` is that of the peer. */
  'caller.recognised': { readonly caller: CallerFields; readonly address?: string | undefined };
  /** One message of a caller; `name` is the tool, prompt or resource as the caller wrote it. */
  'mcp.answered': {
    readonly caller: CallerFields;
    /** The address it was sent to. */
    readonly path: string;
    /** The slug of the one upstream it is for. */
    readonly upstream?: string | undefined;
    readonly method: string;
    readonly name?: string | undefined;
    readonly outcome: 'ok' | ErrorCode;
    readonly durationMs: number;
  };
  /** What an administrator asked to be changed: `POST /v1/gateways/:id/state` and the record's id or slug. */
  'admin.changed': {
    readonly caller: CallerFields;
    readonly operation: string;
    readonly record?: string | undefined;
    readonly outcome: 'ok' | ErrorCode;
  };
  /** Records of audit cannot be kept at the moment. */
  'audit.failed': { readonly code: ErrorCode; readonly message: string };
  'audit.recovered': { readonly failedMs: number };
  'task.failed': { readonly task: string; readonly message: string };
  /** Something a library would have printed; only what is known to be safe of it. */
  'library.printed': { readonly message: string };
}

interface RevocationSource {
  readonly source: string;
  readonly kind: 'crl' | 'ocsp' | 'staple';
}

/** Who calls, as far as it is told to anybody. */
export interface CallerFields {
  readonly subject: string;
  readonly role: string;
  readonly method: string;
  readonly issuer?: string | undefined;
  readonly certificate?:
    | { readonly subject: string | undefined; readonly issuer: string | undefined; readonly sha256: string | undefined }
    | undefined;
}

interface UpstreamFields {
  readonly gateway: string;
  /** Present and true when certificate or host name checks are switched off for this upstream. */
  readonly insecureTls?: true;
}

/** The name of an event. */
export type EventName = keyof EventFields;
/** How much an event matters, least first. */
export type Level = 'debug' | 'info' | 'warn' | 'error';

/** The level each event is logged at. */
export const EVENT_LEVELS: { readonly [Name in EventName]: Level } = {
  'gateway.started': 'info',
  'gateway.stopping': 'info',
  'gateway.stopped': 'info',
  'config.warned': 'warn',
  'listener.reloaded': 'info',
  'listener.kept': 'error',
  'listener.cut': 'warn',
  'listener.refused': 'debug',
  'upstream.refused': 'warn',
  'revocation.failing': 'warn',
  'revocation.recovered': 'info',
  'revocation.passed': 'warn',
  'gateway.first_start': 'warn',
  'keys.generated': 'warn',
  'files.unwatched': 'warn',
  'issuer.read': 'info',
  'issuer.failed': 'warn',
  'token_keys.changed': 'info',
  'token_keys.kept': 'error',
  'token.created': 'info',
  'token.revoked': 'info',
  'record.refused': 'error',
  'rotation.written': 'info',
  'rotation.noticed': 'debug',
  'rotation.applied': 'info',
  'rotation.failed': 'error',
  'rotation.store_lost': 'error',
  'rotation.store_back': 'info',
  'vault.rotated': 'info',
  'upstream.registered': 'info',
  'upstream.changed': 'info',
  'upstream.removed': 'info',
  'upstream.draining': 'info',
  'upstream.drained': 'info',
  'upstream.cut': 'warn',
  'server.saved': 'info',
  'server.removed': 'info',
  'policy.changed': 'info',
  'policy.refused': 'info',
  'upstream.failed': 'warn',
  'upstream.recovered': 'info',
  'upstream.stands_in': 'warn',
  'upstream.session_renewed': 'info',
  'process.started': 'info',
  'process.ended': 'info',
  'process.noisy': 'warn',
  'breaker.opened': 'warn',
  'call.finished': 'debug',
  'handshake.finished': 'debug',
  'connection.opened': 'debug',
  'context.built': 'debug',
  'cache.used': 'debug',
  'channel.drained': 'info',
  'caller.slowed': 'warn',
  'call.limited': 'debug',
  'limits.apart': 'warn',
  'limits.together': 'info',
  'request.refused': 'debug',
  'request.failed': 'error',
  'listener.handshake': 'debug',
  'caller.recognised': 'debug',
  'caller.refused': 'debug',
  'mcp.answered': 'debug',
  'admin.changed': 'info',
  'audit.failed': 'error',
  'audit.recovered': 'warn',
  'task.failed': 'error',
  'library.printed': 'debug',
};

/** Takes events; must not throw. */
export interface EventSink {
  <Name extends EventName>(name: Name, fields: EventFields[Name]): void;
}

/** One sink for everything a process reports, handed on to every sink attached to it. */
export interface EventHub extends EventSink {
  attach(sink: EventSink): void;
}

/** A hub that hands every event to its sinks, in order of attachment. */
export function createEventHub(...attached: EventSink[]): EventHub {
  const sinks = [...attached];
  const emit: EventSink = (name, fields) => {
    for (const sink of sinks) sink(name, fields);
  };
  return Object.assign(emit, { attach: (sink: EventSink) => void sinks.push(sink) });
}
