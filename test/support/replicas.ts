import { startGateway, makeKeys } from './gateway.ts';
import type { TestGateway } from './gateway.ts';
import { startRoundRobin } from './round-robin.ts';
import type { Platform } from '../../src/platform.ts';
import { makeTempFolder } from './temp-folder.ts';

/** Gateways that share keys and a store, behind a balancer that knows no sessions. */
export interface Replicas {
  /** Of the balancer, without a slash at the end. */
  readonly url: string;
  readonly gateways: readonly TestGateway[];
  /** Requests sent to each replica so far. */
  readonly counts: readonly number[];
  /** A user's token, good at every replica. */
  bearer(subject: string): Promise<string>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Starts `count` replicas; `gateways` are registered with the first one, before the others read the store, a file unless POSTERN_STORAGE is set. */
export async function startReplicas(
  count: number,
  gateways: readonly Readonly<Record<string, unknown>>[],
  settings: Readonly<Record<string, string>> = {},
  wrapPlatform: (platform: Platform) => Platform = (platform) => platform,
): Promise<Replicas> {
  const folder = await makeTempFolder();
  const storage = { POSTERN_STORAGE: `sqlite:${folder.path}/shared.db` };
  const options = { keys: makeKeys(), settings: { ...storage, ...settings }, wrapPlatform };
  const first = await startGateway(options);
  for (const fields of gateways) await first.register(fields);
  const others = await Promise.all(Array.from({ length: count - 1 }, () => startGateway(options)));
  const replicas = [first, ...others];
  const balancer = await startRoundRobin(replicas.map(({ url }) => url));
  let closing: Promise<void> | undefined;
  const close = async () => {
    await balancer.close();
    for (const replica of replicas) await replica.close();
    await folder.remove();
  };
  return {
    url: balancer.url,
    gateways: replicas,
    counts: balancer.counts,
    bearer: (subject) => first.token(subject),
    close: () => (closing ??= close()),
  };
}
