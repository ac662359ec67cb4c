import type { ServerSnapshot } from '../../catalog/server-snapshot.ts';
import type { VirtualServer } from '../../catalog/virtual-server.ts';

/** Finds the server of an address. Not called before the caller is known, so that nobody else learns what exists. */
export type FindServer = () => VirtualServer | undefined;

/** Every active gateway at once. */
export function everythingIn(snapshot: () => ServerSnapshot): FindServer {
  return () => snapshot().everything;
}

/** The server that has this key now; undefined for one that is gone or out of service. */
export function serverByKey(snapshot: ServerSnapshot, key: string): VirtualServer | undefined {
  const { everything } = snapshot;
  return key === everything.key ? everything : snapshot.named(key);
}

/** One active gateway or virtual server, by slug or id. */
export function serverNamed(snapshot: () => ServerSnapshot, name: string): FindServer {
  return () => snapshot().named(name);
}
