import { GatewayError, addressRefused, metadataAddresses } from '../../../src/index.ts';
import type { Clock, Dialer, EventSink, TlsProfile } from '../../../src/index.ts';
import type { Fetcher } from '../bindings.ts';
import { CLOUDFLARE } from '../runtime.ts';
import { FetchChannel } from './fetch-channel.ts';

export interface BindingDialerOptions {
  readonly clock: Clock;
  readonly events: EventSink;
  /** What sends requests that present no identity. */
  readonly anonymous: Fetcher;
  /** What sends those that do, by the name of the binding. */
  readonly fetchers: ReadonlyMap<string, Fetcher>;
}

/** As in node-compat: calls have limits of their own, this one is for what has none. */
const HEADERS_TIMEOUT_MS = 1_800_000;

/** Has the platform dial: each identity is a binding, whatever else decides a handshake is not ours to say. */
export function createBindingDialer({ clock, events, anonymous, fetchers }: BindingDialerOptions): Dialer {
  const isRefused = metadataAddresses();
  return {
    name: 'workers',
    capabilities: CLOUDFLARE.dialer,
    bindings: new Set(fetchers.keys()),
    open: async (profile, origin) => {
      refuseMismatch(profile, origin);
      // where a name leads to, only the platform knows
      const host = new URL(origin).hostname.replace(/^\[(.*)\]$/, '$1');
      if (isRefused(host)) throw addressRefused(host);
      return new FetchChannel({
        origin,
        fingerprint: profile?.fingerprint,
        fetcher: fetcherOf(profile, anonymous, fetchers),
        clock,
        headersTimeoutMs: HEADERS_TIMEOUT_MS,
        onClosed: (cut) => events('channel.drained', { origin, cut }),
      });
    },
    // who cannot see handshakes (peerCertificate) is not asked for one
    examine: () =>
      Promise.reject(new GatewayError('capability_unsupported', 'no handshake can be examined on Workers')),
    close: () => Promise.resolve(),
  };
}

function fetcherOf(
  profile: TlsProfile | undefined,
  anonymous: Fetcher,
  fetchers: ReadonlyMap<string, Fetcher>,
): Fetcher {
  const { identity } = profile ?? {};
  if (identity === undefined) return anonymous;
  const fetcher = 'binding' in identity ? fetchers.get(identity.binding) : undefined;
  if (fetcher) return fetcher;
  throw new GatewayError('capability_unsupported', 'the dialer of Workers presents bindings only (dynamicIdentity)');
}

function refuseMismatch(profile: TlsProfile | undefined, origin: string): void {
  if ((profile !== undefined) === origin.startsWith('https:')) return;
  throw new GatewayError('config_invalid', 'a TLS profile belongs to an https origin, and to no other');
}
