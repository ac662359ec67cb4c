import { GatewayError } from '../../base/errors.ts';
import type { ChannelCache } from '../../tls/channel-cache.ts';
import type { TlsProfile } from '../../tls/profile.ts';

/** A JSON document, and how long it may be kept. */
export interface Fetched {
  readonly body: unknown;
  /** Milliseconds; undefined where the server does not say. */
  readonly maxAgeMs: number | undefined;
}

/** Fetches a JSON document; follows no redirect. @throws GatewayError with a dial code, upstream_http_status, upstream_redirect, upstream_too_large, upstream_protocol */
export type JsonFetcher = (url: URL, signal: AbortSignal) => Promise<Fetched>;

const MAX_BODY_BYTES = 256 * 1024;
/** No other part of the gateway uses these channels. */
const OWNER = 'issuers';

/** A fetcher over the way everything leaves. @param profile whom to believe over TLS */
export function jsonFetcher(channels: ChannelCache, profile: () => TlsProfile): JsonFetcher {
  return async (url, signal) => {
    const lease = await channels.lease(url.protocol === 'https:' ? profile() : undefined, url.origin, OWNER);
    try {
      const response = await lease.value.send({
        method: 'GET',
        path: url.pathname + url.search,
        headers: { accept: 'application/json' },
        signal,
      });
      const { status, headers } = response;
      const text = await response.text(MAX_BODY_BYTES);
      if (status >= 300 && status < 400) throw new GatewayError('upstream_redirect', `${url.origin} redirects`);
      if (status !== 200) throw new GatewayError('upstream_http_status', `${url.origin} answers with status ${status}`);
      return { body: parse(text, url), maxAgeMs: maxAgeIn(headers['cache-control']) };
    } finally {
      lease.release();
    }
  };
}

function parse(text: string, { origin }: URL): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new GatewayError('upstream_protocol', `${origin} answers with something other than JSON`);
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.1 */
function maxAgeIn(cacheControl = ''): number | undefined {
  const [, seconds] = /(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])/i.exec(cacheControl) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
