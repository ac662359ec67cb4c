import type { GatewayError } from '../base/errors.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { GatewayProfiles } from './gateway-profiles.ts';
import type { GatewayRecord } from './gateway-record.ts';

/** A gateway as the registry holds it; replaced, never changed. */
export type RegisteredGateway = ReadableGateway | UnreadableGateway;

/** A gateway whose record could be read. */
export interface ReadableGateway {
  readonly id: string;
  readonly record: GatewayRecord;
  /** The stored version, ETag material. */
  readonly version: string;
  /** What serves it; undefined when its record or files could not be opened: then it serves nobody. */
  readonly upstream: Upstream | undefined;
  /** Undefined where no TLS is spoken, and where it could not be opened. */
  readonly profiles: GatewayProfiles | undefined;
  /** Why the record is not in force, or not in its latest form. */
  readonly refusal: GatewayError | undefined;
}

/** A gateway whose record was changed outside, or needs a key that is not at hand: nothing in it can be believed. */
export interface UnreadableGateway {
  readonly id: string;
  readonly record: undefined;
  readonly upstream: undefined;
  readonly profiles: undefined;
  readonly refusal: GatewayError;
}

/** What traffic needs of a gateway. */
export interface GatewayEntry {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly prefix: string;
  /** Labels that virtual servers select by. */
  readonly tags: readonly string[];
  readonly enabled: boolean;
  readonly upstream: Upstream;
  /** Undefined where no TLS is spoken. */
  readonly profiles: GatewayProfiles | undefined;
}

/** Every gateway that can be served, in the order of registration; frozen, swapped whole. */
export interface RegistrySnapshot {
  readonly entries: readonly GatewayEntry[];
  bySlug(slug: string): GatewayEntry | undefined;
  byId(id: string): GatewayEntry | undefined;
}

/** What was registered, as far as its order goes. */
export interface Ordered {
  readonly id: string;
  readonly record: { readonly history: { readonly createdAt: string } } | undefined;
}

/** What gateways and servers are ordered by: registration; those that cannot be read come last. */
export function orderKey({ id, record }: Ordered): string {
  return `${record?.history.createdAt ?? '~'}_${id}`;
}

/** Gateways or servers in their order. */
export function inOrder<T extends Ordered>(registered: Iterable<T>): readonly T[] {
  return [...registered].toSorted((a, b) => (orderKey(a) < orderKey(b) ? -1 : 1));
}

/** The snapshot of these gateways; of several with one slug, as instances may register at once, the oldest serves. */
export function snapshotOf(gateways: Iterable<RegisteredGateway>): RegistrySnapshot {
  const slugs = new Map<string, GatewayEntry>();
  const entries = inOrder(gateways).flatMap((gateway) => {
    if (gateway.record === undefined || gateway.upstream === undefined) return [];
    const { id, slug, name, prefix, enabled, labels } = gateway.record;
    if (slugs.has(slug)) return [];
    const entry = Object.freeze({
      id,
      slug,
      name,
      prefix,
      tags: labels.tags ?? [],
      enabled,
      upstream: gateway.upstream,
      profiles: gateway.profiles,
    });
    slugs.set(slug, entry);
    return [entry];
  });
  const ids = new Map(entries.map((entry) => [entry.id, entry]));
  return Object.freeze({
    entries: Object.freeze(entries),
    bySlug: (slug: string) => slugs.get(slug),
    byId: (id: string) => ids.get(id),
  });
}
