import type { ErrorCode } from '../errors.ts';
import type { LevelsOf } from './level.ts';

/** Told of the servers behind the gateway, and the way to them. */
export interface UpstreamEvents {
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
  /** Connections whose server OCSP does not call good any more. */
  'upstream.refused': {
    readonly origin: string;
    readonly connections: number;
    readonly requests: number;
    readonly why: 'revoked' | 'unknown';
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
}

interface UpstreamFields {
  readonly gateway: string;
  /** Present and true when certificate or host name checks are switched off for this upstream. */
  readonly insecureTls?: true;
}

/** The level each is logged at. */
export const UPSTREAM_LEVELS: LevelsOf<UpstreamEvents> = {
  'upstream.registered': 'info',
  'upstream.changed': 'info',
  'upstream.removed': 'info',
  'upstream.draining': 'info',
  'upstream.drained': 'info',
  'upstream.cut': 'warn',
  'upstream.refused': 'warn',
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
};
