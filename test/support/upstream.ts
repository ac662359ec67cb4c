import { systemClock } from '../../adapters/node/clock.ts';
import { createNodeDialer } from '../../adapters/node/dialer/dialer.ts';
import type { Clock } from '../../src/base/clock.ts';
import type { EventFields, EventName } from '../../src/base/events.ts';
import { grantUpkeep, type Grant } from '../../src/policy/grant.ts';
import { ChannelCache } from '../../src/tls/channel-cache.ts';
import type { UpstreamFacts } from '../../src/upstream/facts.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import type { UpstreamConfig } from '../../src/upstream/upstream-config.ts';

/** What calls in tests are allowed by. */
export const TEST_GRANT: Grant = grantUpkeep('test');

export interface DialledUpstream {
  readonly upstream: Upstream;
  readonly events: readonly { readonly name: EventName; readonly fields: EventFields[EventName] }[];
  /** The fields of the events with this name, in order. */
  eventsOf<Name extends EventName>(name: Name): EventFields[Name][];
  close(): Promise<void>;
}

/** An Upstream over the Node dialer, with a channel cache of its own. */
export function dialUpstream(
  config: Partial<UpstreamConfig> & { readonly url: URL },
  { facts, clock = systemClock, dialClock = clock }: { facts?: UpstreamFacts; clock?: Clock; dialClock?: Clock } = {},
): DialledUpstream {
  const events: { name: EventName; fields: EventFields[EventName] }[] = [];
  const sink = <Name extends EventName>(name: Name, fields: EventFields[Name]) => void events.push({ name, fields });
  const dialer = createNodeDialer({ events: sink, clock: dialClock, contextCache: { maxIdle: 10 } });
  const channels = new ChannelCache({ dialer, clock: dialClock, events: sink, maxIdle: 0 });
  const defaults: Omit<UpstreamConfig, 'url'> = {
    id: 'id-1',
    slug: 'up',
    name: 'Up',
    transport: 'auto',
    profile: undefined,
    credentials: { headers: {}, query: {} },
    passthroughHeaders: [],
    insecureTls: false,
  };
  const upstream = new Upstream({ ...defaults, ...config }, { channels, clock, events: sink, random: () => 1 }, facts);
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
