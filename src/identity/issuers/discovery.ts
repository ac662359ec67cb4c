import { GatewayError } from '../../base/errors.ts';
import { asFields } from '../../base/fields.ts';
import { isFetchable } from './issuer-url.ts';
import type { Fetched, JsonFetcher } from './json-fetcher.ts';

/**
 * Where an issuer describes itself, by both conventions.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8414#section-3.1
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationRequest
 */
export function metadataAddresses(issuer: string): readonly [URL, URL] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    new URL(`${origin}/.well-known/oauth-authorization-server${path}`),
    new URL(`${origin}${path}/.well-known/openid-configuration`),
  ];
}

/**
 * What is at the address where an issuer says that its keys are.
 *
 * @throws GatewayError upstream_protocol where it is not the one that was asked for, and as fetching does
 */
export async function fetchKeySet(issuer: string, fetcher: JsonFetcher, signal: AbortSignal): Promise<Fetched> {
  const [first, second] = metadataAddresses(issuer);
  const { body } = await fetcher(first, signal).catch((error: unknown) => {
    if (error instanceof GatewayError && error.code === 'upstream_http_status') return fetcher(second, signal);
    throw error;
  });
  const { issuer: named, jwks_uri: address } = asFields(body) ?? {};
  // else whoever holds one issuer could speak for another
  if (named !== issuer) throw new GatewayError('upstream_protocol', 'its metadata names another issuer');
  if (typeof address !== 'string' || !URL.canParse(address) || !isFetchable(new URL(address)))
    throw new GatewayError('upstream_protocol', 'its metadata names no https address of keys (jwks_uri)');
  return fetcher(new URL(address), signal);
}
