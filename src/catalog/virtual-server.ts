/**
 * catalog: what a caller sees as one server, and which upstream each name leads to.
 *
 * Owns virtual servers as they are saved and as they are served, published names and routing. Must not know HTTP,
 * sessions or how an upstream is dialled.
 */
import type { Upstream } from '../upstream/upstream.ts';
import { Catalogue } from './catalogue.ts';
import type { Member } from './member.ts';
import type { ServerClientAuth } from './server-record.ts';

/** One MCP address: a single upstream as it is, or several joined by prefix. */
export interface VirtualServer {
  /** Stable name of the address; sessions are bound to it. */
  readonly key: string;
  readonly members: readonly Member[];
  /** True when messages pass through untouched: one upstream, no prefix, nothing hidden or renamed. */
  readonly transparent: boolean;
  /** What it says of callers' certificates; undefined for what the listener says. */
  readonly clientAuth: ServerClientAuth | undefined;
  /** What it offers; the same object as long as no member was listed anew. */
  readonly catalogue: Catalogue;
}

/** An entry of the registry, as far as the catalog needs it. */
export interface Source {
  readonly id: string;
  readonly prefix: string;
  readonly upstream: Upstream;
}

/** A server over members in their order. */
export function serverOf(
  key: string,
  members: readonly Member[],
  transparent: boolean,
  clientAuth?: ServerClientAuth,
): VirtualServer {
  let catalogue = new Catalogue(members, transparent);
  return {
    key,
    members,
    transparent,
    clientAuth,
    get catalogue() {
      if (!catalogue.isCurrent) catalogue = new Catalogue(members, transparent);
      return catalogue;
    },
  };
}

/** One upstream under its own names. */
export function singleServer({ id, upstream }: Source): VirtualServer {
  return serverOf(id, [{ prefix: '', upstream }], true);
}

/** Everything at once: each source's names under its prefix, also while it is the only one. */
export function joinedServer(sources: readonly Source[]): VirtualServer {
  return serverOf(
    '*',
    sources.map(({ prefix, upstream }) => ({ prefix, upstream })),
    false,
  );
}
