import { systemClock } from '../../adapters/node-compat/clock.ts';
import { createDialer } from '../../adapters/node-compat/dialer/dialer.ts';
import { NODE } from '../../adapters/node/runtime.ts';
import type { Clock } from '../../src/base/clock.ts';
import type { EventFields, EventName } from '../../src/base/events.ts';
import { grantUpkeep, type Grant } from '../../src/policy/grant.ts';
import { ChannelCache } from '../../src/tls/channel-cache.ts';
import type { UpstreamFacts } from '../../src/upstream/facts.ts';
import { Upstream, type UpstreamDeps } from '../../src/upstream/upstream.ts';
import type { HttpTarget, UpstreamConfig } from '../../src/upstream/upstream-config.ts';

/** What calls in tests are allowed by. */
export const TEST_GRANT: Grant = grantUpkeep('test');

export interface DialledUpstream {
  readonly upstream: Upstream;
  readonly events: readonly { readonly name: EventName; readonly fields: EventFields[EventName] }[];
  /** The fields of the events with this name, in order. */
  eventsOf<Name extends EventName>(name: Name): EventFields[Name][];
  close(): Promise<void>;
}

/** How an upstream is reached; no profile, no credentials and transport auto unless said otherwise. */
export type TestConfig = Partial<Omit<UpstreamConfig, 'target'> & Omit<HttpTarget, 'kind' | 'url'>> & {
  readonly url: URL;
};

export interface DialOptions extends Pick<UpstreamDeps, 'onListing'> {
  readonly facts?: UpstreamFacts;
  readonly clock?: Clock;
  readonly dialClock?: Clock;
}

/** An Upstream over the Node dialer, with a channel cache of its own. */
export function dialUpstream(
  { url, transport = 'auto', credentials = { headers: {}, query: {} }, ...config }: TestConfig,
  { facts, clock = systemClock, dialClock = clock, onListing }: DialOptions = {},
): DialledUpstream {
  const events: { name: EventName; fields: EventFields[EventName] }[] = [];
  const sink = <Name extends EventName>(name: Name, fields: EventFields[Name]) => void events.push({ name, fields });
  const dialer = createDialer(NODE, { events: sink, clock: dialClock, contextCache: { maxIdle: 10 } });
  const channels = new ChannelCache({ dialer, clock: dialClock, events: sink, maxIdle: 0 });
  const defaults: Omit<UpstreamConfig, 'target'> = {
    id: 'id-1',
    slug: 'up',
    name: 'Up',
    profile: undefined,
    protocolEra: 'auto',
    requestTimeoutMs: undefined,
    passthroughHeaders: [],
    insecureTls: false,
  };
  const target = { kind: 'http', url, transport, credentials } as const;
  const upstream = new Upstream(
    { ...defaults, ...config, target },
    { channels, clock, events: sink, viaName: 'postern-test', random: () => 1, ...(onListing && { onListing }) },
    facts,
  );
  return {
    upstream,
    events,
    // the filter keeps what was stored under this name
    eventsOf: <Name extends EventName>(name: Name) =>
      events.filter((event) => event.name === name).map(({ fields }) => fields as EventFields[Name]),
    async close() {
      await upstream.close(0);
      await channels.close();
      await dialer.close();
    },
  };
}
