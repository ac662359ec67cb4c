import type { Upstream } from '../upstream/upstream.ts';
import type { Exposure, ItemKind } from './exposure.ts';

/** One upstream in a virtual server. */
export interface Member {
  readonly upstream: Upstream;
  /** What goes before its tool and prompt names. */
  readonly prefix: string;
  /** Absent where everything is shown. */
  readonly exposure?: Exposure;
}

/** Where a request goes, and the name the upstream knows its target by. */
export interface Route {
  readonly member: Member;
  /** Present when the upstream's name differs from the one the caller used. */
  readonly upstreamName?: string;
}

/** The route of a name to what a member calls `upstreamName`. */
export const routeTo = (member: Member, name: string, upstreamName: string): Route =>
  name === upstreamName ? { member } : { member, upstreamName };

/** Whether a member shows something under its own name. */
export const isShown = ({ exposure }: Member, kind: ItemKind, nameOrUri: string): boolean =>
  exposure === undefined || exposure.shows(kind, nameOrUri);
