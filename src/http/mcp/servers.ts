import { joinedServer, singleServer } from '../../catalog/virtual-server.ts';
import type { VirtualServer } from '../../catalog/virtual-server.ts';
import type { RegistrySnapshot } from '../../registry/snapshot.ts';

/** Finds the server of an address. Not called before the caller is known, so that nobody else learns what exists. */
export type FindServer = () => VirtualServer | undefined;

/** Every active gateway at once; joined again only when the snapshot was swapped. */
export function everythingIn(snapshot: () => RegistrySnapshot): FindServer {
  let joinedFrom: RegistrySnapshot | undefined;
  let server: VirtualServer | undefined;
  return () => {
    const current = snapshot();
    if (joinedFrom !== current) server = joinedServer(current.entries.filter(({ enabled }) => enabled));
    joinedFrom = current;
    return server;
  };
}

/** One active gateway, by slug or id. */
export function serverNamed(snapshot: RegistrySnapshot, name: string): FindServer {
  return () => {
    const entry = snapshot.bySlug(name) ?? snapshot.byId(name);
    return entry?.enabled ? singleServer(entry) : undefined;
  };
}
