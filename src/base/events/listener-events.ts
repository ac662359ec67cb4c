import type { ErrorCode } from '../errors.ts';
import type { ListenerRefusal } from '../listener-refusal.ts';
import type { LevelsOf } from './level.ts';

/** Told of the connections callers make. */
export interface ListenerEvents {
  'listener.reloaded': { readonly subject: string; readonly notAfter: string };
  'listener.kept': { readonly code: ErrorCode; readonly message: string };
  /** Connections of callers whose certificate is not accepted any more. */
  'listener.cut': { readonly connections: number; readonly why: 'trust' | 'revoked' | 'pin' | 'expired' | 'unknown' };
  'listener.refused': { readonly reason: ListenerRefusal; readonly subject?: string; readonly address?: string };
  /** A handshake with a caller who may come in; what it showed is verified. */
  'listener.handshake': {
    readonly address?: string | undefined;
    readonly protocol?: string | undefined;
    readonly subject?: string | undefined;
    readonly issuer?: string | undefined;
    readonly sha256?: string | undefined;
  };
}

/** The level each is logged at. */
export const LISTENER_LEVELS: LevelsOf<ListenerEvents> = {
  'listener.reloaded': 'info',
  'listener.kept': 'error',
  'listener.cut': 'warn',
  'listener.refused': 'debug',
  'listener.handshake': 'debug',
};
