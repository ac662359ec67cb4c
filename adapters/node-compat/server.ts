import { createGateway, healthPortOf } from '../../src/index.ts';
import type { EventHub, Gateway, SettingValues } from '../../src/index.ts';
import { openKey } from './open-key.ts';
import { systemClock } from './clock.ts';
import { completeConfig, writePid } from './data-dir/data-dir.ts';
import { exists } from './files/file-reader.ts';
import { urlOf, namesOf } from './listener/address.ts';
import { LiveCallerRules } from './listener/caller-rules.ts';
import { fetchesLists } from './listener/caller-trust.ts';
import { checkCiphers } from './listener/ciphers.ts';
import { expiriesOf } from './listener/expiries.ts';
import { readListenerIdentity } from './listener/identity.ts';
import type { ListenerIdentity } from './listener/identity.ts';
import { openListener } from './listener/listener.ts';
import type { Listener } from './listener/listener.ts';
import { openListenerOcsp, requireStapling } from './listener/ocsp.ts';
import { rotatingListener } from './listener/rotating-listener.ts';
import { createPlatform } from './platform.ts';
import type { Runtime } from './runtime.ts';

/** A gateway that listens. */
export interface RunningServer {
  readonly url: string;
  readonly health: string;
  /** Has every instance read every file again; what cannot be used leaves things as they are, and is reported. Never rejects. */
  reload(): Promise<void>;
  /** Stops accepting, lets calls finish, then closes everything. */
  stop(reason: string): Promise<void>;
}

/**
 * Starts a gateway with its listeners over a data directory. Everything that can be wrong with the settings is found
 * before anything listens.
 *
 * @throws GatewayError whatever is wrong with settings, files, keys, store or address
 */
export async function startServer(runtime: Runtime, settings: SettingValues, events: EventHub): Promise<RunningServer> {
  checkCiphers(settings, runtime);
  requireStapling(settings, runtime);
  const checked = await readListenerIdentity(settings, openKey, systemClock);
  await nameMissingFolders(settings.certDirs, events);
  const callerRules = await LiveCallerRules.open(settings);
  const config = await completeConfig(settings, events);
  const platform = { ...(await createPlatform(runtime, config, events)), callerRules: callerRules.current };
  const gateway = await createGateway(config, platform);
  const open: Listener[] = [];
  try {
    const { host, port, maxConnections } = config;
    const { fetch, webSocket } = gateway;
    const readList = gateway.lists.read;
    // what is fetched is kept in the store, so only now there is a list by URL
    const identity = fetchesLists(settings)
      ? await readListenerIdentity(settings, openKey, systemClock, readList)
      : checked;
    const { prepare, close: closeOcsp, ...ocsp } = openListenerOcsp(settings, platform.dialer, events);
    if (identity) await prepare?.(identity);
    const options = { host, port, identity, fetch, webSocket, events, maxConnections, ...ocsp };
    const listener = await openListener(runtime, options);
    open.push(listener);
    gateway.metrics.gauge('postern_certificate_not_after_seconds', () => expiriesOf(listener.identity));
    const url = urlOf(host, listener.port, identity);
    const healthPort = healthPortOf(config);
    const health = healthPort === undefined ? undefined : await openHealthListener(runtime, healthPort, gateway);
    if (health) open.push(health);
    const onPresented = (presented: ListenerIdentity | undefined): void => gateway.allowHosts(namesOf(host, presented));
    onPresented(identity);
    const participant = rotatingListener(listener, settings, { events, callerRules, readList, prepare, onPresented });
    gateway.rotation.join(participant);
    const removePid = await writePid(config.dataDir);
    gateway.beginUpkeep();
    return {
      url,
      health: `${health ? urlOf(LOOPBACK, health.port, undefined) : url}/health`,
      reload: () => gateway.reload('signal'),
      stop: async (reason) => {
        events('gateway.stopping', { reason, inFlight: listener.inFlight });
        gateway.beginDrain();
        const deadlineMs = systemClock.monotonicMs() + config.drainTimeoutSeconds * 1000;
        const cut = await listener.close(config.drainTimeoutSeconds * 1000);
        await gateway.close(Math.max(0, deadlineMs - systemClock.monotonicMs()));
        await health?.close(0);
        closeOcsp();
        await removePid();
        events('gateway.stopped', { cut });
      },
    };
  } catch (error) {
    for (const listener of open) await listener.close(0);
    await gateway.close(0);
    throw error;
  }
}

/** It may be mounted later, so it is no reason not to start. */
async function nameMissingFolders(folders: readonly string[], events: EventHub): Promise<void> {
  for (const folder of folders)
    if (!(await exists(folder)))
      events('config.warned', {
        setting: 'POSTERN_CERT_DIRS',
        message: `there is no folder ${folder}: files below it are refused until there is one`,
      });
}

const LOOPBACK = '127.0.0.1';
const HEALTH_PATHS = new Set(['/health', '/ready']);

function openHealthListener(runtime: Runtime, port: number, gateway: Gateway): Promise<Listener> {
  const fetch = (request: Request) =>
    HEALTH_PATHS.has(new URL(request.url).pathname) ? gateway.fetch(request) : new Response(null, { status: 404 });
  return openListener(runtime, { host: LOOPBACK, port, fetch });
}
