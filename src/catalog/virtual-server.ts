/**
 * catalog: what a caller sees as one server, and which upstream each name leads to.
 *
 * Owns virtual servers as they are saved and as they are served, published names and routing. Must not know HTTP,
 * sessions or how an upstream is dialled.
 */
import type { Upstream } from '../upstream/upstream.ts';
import { Catalogue } from './catalogue.ts';
import type { Member } from './member.ts';
import type { Narrowing } from './narrowing.ts';
import type { ServerClientAuth } from './server-record.ts';

/** One MCP address: a single upstream as it is, or several joined by prefix. */
export interface VirtualServer {
  /** Stable name of the address; sessions are bound to it. */
  readonly key: string;
  /** What people call it: the slug, or `/mcp`. */
  readonly address: string;
  readonly members: readonly Member[];
  /** True when messages pass through untouched: one upstream, no prefix, nothing hidden or renamed. */
  readonly transparent: boolean;
  /** What it says of callers' certificates; undefined for what the listener says. */
  readonly clientAuth?: ServerClientAuth | undefined;
  /** What it offers; the same object as long as no member was listed anew. */
  readonly catalogue: Catalogue;
  /** Present where callers get a part of it only: what this is a view of, and what makes the difference. */
  readonly narrowed?: { readonly whole: VirtualServer; readonly by: Narrowing };
}

/** An entry of the registry, as far as the catalog needs it. */
export interface Source {
  readonly id: string;
  readonly prefix: string;
  readonly upstream: Upstream;
}

/** A server over members in their order. */
export function serverOf({
  key,
  address,
  members,
  transparent,
  clientAuth,
  narrowed,
}: Omit<VirtualServer, 'catalogue'>): VirtualServer {
  let catalogue = new Catalogue(members, transparent);
  return {
    key,
    address,
    ...(narrowed && { narrowed }),
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
  const { slug } = upstream.config;
  return serverOf({ key: id, address: slug, members: [{ prefix: '', upstream }], transparent: true });
}

/** Everything at once: each source's names under its prefix, also while it is the only one. */
export function joinedServer(sources: readonly Source[]): VirtualServer {
  const members = sources.map(({ prefix, upstream }) => ({ prefix, upstream }));
  return serverOf({ key: '*', address: '/mcp', members, transparent: false });
}
