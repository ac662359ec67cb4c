import type { ErrorCode } from '../errors.ts';
import type { LevelsOf } from './level.ts';

/** Told of who calls, and whether they may. */
export interface CallerEvents {
  /** Once per credential and connection; `address` is that of the peer. */
  'caller.recognised': { readonly caller: CallerFields; readonly address?: string | undefined };
  /** An authentication that failed; `method` is how it was tried, none for a caller without credentials. */
  'caller.refused': {
    readonly code: ErrorCode;
    readonly message: string;
    readonly method: 'token' | 'basic' | 'certificate' | 'none';
    /** Of the connection, not of whom a proxy speaks for. */
    readonly address: string | undefined;
  };
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
  /** `caller` where it is known: who was refused, and not what. */
  'request.refused': {
    readonly code: ErrorCode;
    readonly path: string;
    readonly caller?: CallerFields | undefined;
    readonly message?: string | undefined;
  };
  'request.failed': { readonly code: ErrorCode; readonly path: string; readonly message: string };
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
  /** The keys of an issuer of tokens, where they are others than before or can be had again. */
  'issuer.read': { readonly issuer: string; readonly keys: number };
  'issuer.failed': { readonly issuer: string; readonly code: ErrorCode; readonly message: string };
  /** Tokens of this gateway are verified with these keys now. */
  'token_keys.changed': { readonly kids: readonly string[] };
  /** What was named cannot be used; the keys stay as they were. */
  'token_keys.kept': { readonly code: ErrorCode; readonly message: string };
  'token.created': { readonly id: string; readonly subject: string; readonly by: string };
  'token.revoked': { readonly what: 'token' | 'jti' | 'subject'; readonly name: string; readonly by: string };
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

/** The level each is logged at. */
export const CALLER_LEVELS: LevelsOf<CallerEvents> = {
  'caller.recognised': 'debug',
  'caller.refused': 'debug',
  'caller.slowed': 'warn',
  'call.limited': 'debug',
  'limits.apart': 'warn',
  'limits.together': 'info',
  'policy.changed': 'info',
  'policy.refused': 'info',
  'request.refused': 'debug',
  'request.failed': 'error',
  'mcp.answered': 'debug',
  'admin.changed': 'info',
  'issuer.read': 'info',
  'issuer.failed': 'warn',
  'token_keys.changed': 'info',
  'token_keys.kept': 'error',
  'token.created': 'info',
  'token.revoked': 'info',
};
