import type { CancelSignal } from '../../base/cancel-signal.ts';
import type { Clock } from '../../base/clock.ts';
import type { EventSink } from '../../base/events.ts';
import type { VirtualServer } from '../../catalog/virtual-server.ts';
import type { Grant } from '../../policy/grant.ts';
import type { CallerConnection } from '../../identity/credentials.ts';
import type { Principal } from '../../identity/principal.ts';
import type { Policies } from '../../policy/policies.ts';
import type { Limiter } from '../../limits/limiter.ts';
import type { SingleFlight } from '../../base/single-flight.ts';
import type { LegacyToModern } from '../../bridge/legacy-to-modern/legacy-to-modern.ts';
import type { ModernToLegacy } from '../../bridge/modern-to-legacy/modern-to-legacy.ts';
import type { KeptLists } from './lists/kept-lists.ts';
import type { ListChanges } from './lists/list-changes.ts';
import type { CallAccount } from './call-account.ts';
import type { LegacySessions } from '../../session/legacy-sessions.ts';

/** Milliseconds one of several upstreams may hold back what is asked of all of them, body included. */
export const MEMBER_DEADLINE_MS = 10_000;

/** One authorized request to an MCP address. */
export interface Exchange {
  readonly request: Request;
  /** Absent where nobody knows. */
  readonly connection?: CallerConnection | undefined;
  /** As this caller gets it. */
  readonly server: VirtualServer;
  readonly principal: Principal;
  readonly grant: Grant;
  /** Aborts when the caller goes away before the answer has ended. */
  readonly signal: CancelSignal;
  /** The body; empty for GET and DELETE. */
  readonly text: string;
  /** Absent where nobody wants to know. */
  readonly account?: CallAccount | undefined;
}

/** What the MCP endpoints stand on. */
export interface McpServices {
  readonly sessions: LegacySessions;
  /** Upstream sessions being initialized again, so that a lost one is renewed once. */
  readonly renewals: SingleFlight<void>;
  /** The way to upstreams of the modern era only. */
  readonly legacyToModern: LegacyToModern;
  /** The way to upstreams of the legacy era only. */
  readonly modernToLegacy: ModernToLegacy;
  /** Merged listings, as they are sent. */
  readonly lists: KeptLists;
  /** Tells callers of joined servers when these list something else. */
  readonly listChanges: ListChanges;
  /** Who may do what, for those whose streams outlive a decision. */
  readonly policies: Policies;
  readonly events: EventSink;
  /** How much callers may ask for. */
  readonly limiter: Limiter;
  readonly clock: Clock;
  /** Aborts when the gateway is about to stop: streams without an end of their own end then. */
  readonly draining: AbortSignal;
  /** The gateway's own name and version, told to clients of joined servers. */
  readonly serverInfo: { readonly name: string; readonly version: string };
}
