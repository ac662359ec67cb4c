import { Cancellation } from '../base/cancel-signal.ts';
import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import type { Channel, ChannelResponse, Dialer } from './dialer.ts';
import { openProfile } from './open-profile.ts';
import type { TlsProfile } from './profile.ts';

/** What a small document is fetched with. */
export interface FetchLimits {
  readonly accept: string;
  readonly limitBytes: number;
  /** Milliseconds for everything, connecting included. */
  readonly timeoutMs: number;
}

/**
 * The body of a 200 answer to a GET; redirects are not followed.
 *
 * @throws GatewayError upstream_http_status, upstream_too_large, upstream_timeout and every dial code
 */
export type FetchBytes = (url: string, limits: FetchLimits) => Promise<Uint8Array<ArrayBuffer>>;

/**
 * Fetches signed documents of authorities, which seldom are behind https: over the dialer upstreams are reached with, so
 * that its guard against metadata addresses holds here as well. An https server is held to the runtime's default set.
 */
export function fetchOver(dialer: Pick<Dialer, 'open' | 'capabilities'>, clock: Clock): FetchBytes {
  return async (url, limits) => {
    const { origin, protocol, pathname, search, host } = new URL(url);
    const channel = await dialer.open(protocol === 'https:' ? await publicProfile(dialer, clock) : undefined, origin);
    const signal = new Cancellation();
    const late = new GatewayError('upstream_timeout', `${host} did not answer within ${limits.timeoutMs} ms`);
    const cancel = clock.after(limits.timeoutMs, () => {
      signal.abort(late);
      channel.destroy(late);
    });
    try {
      return await get(channel, `${pathname}${search}`, limits, signal);
    } finally {
      cancel();
      channel.destroy(new GatewayError('channel_closed', 'the document was fetched'));
    }
  };
}

async function get(
  channel: Channel,
  path: string,
  { accept, limitBytes, timeoutMs }: FetchLimits,
  signal: Cancellation,
): Promise<Uint8Array<ArrayBuffer>> {
  const headers = { accept };
  const response = await channel.send({ method: 'GET', path, headers, signal, headersTimeoutMs: timeoutMs });
  if (response.status === 200) return readWhole(response, limitBytes);
  await response.stream().cancel();
  throw new GatewayError('upstream_http_status', `${channel.origin} answered with status ${response.status}`, {
    details: { status: response.status },
  });
}

async function readWhole(response: ChannelResponse, limitBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (const reader = response.stream().getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > limitBytes) {
      await reader.cancel();
      throw new GatewayError('upstream_too_large', `the answer is longer than ${limitBytes} bytes`);
    }
    chunks.push(value);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function publicProfile({ capabilities }: Pick<Dialer, 'capabilities'>, clock: Clock): Promise<TlsProfile> {
  const openKey = () => Promise.reject(new GatewayError('key_missing', 'nothing is presented'));
  return openProfile({}, { openKey, nowMs: clock.nowMs(), capabilities, allowInsecureTls: false });
}
