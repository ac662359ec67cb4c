import { GatewayError } from '../base/errors.ts';

/** Addresses that hand out the credentials of the machine we run on; the dialer refuses what names resolve to. */
const REFUSED_HOSTS: readonly RegExp[] = [
  // link-local, in which most clouds keep their metadata; also mapped into IPv6 and through NAT64
  /^169\.254\./,
  /^\[fe[89ab][0-9a-f]:/,
  /^\[(?:::ffff|64:ff9b:):a9fe:/,
  // metadata services elsewhere: AWS over IPv6, Alibaba Cloud, Azure, Google
  /^\[fd00:ec2::254\]$/,
  /^100\.100\.100\.200$/,
  /^168\.63\.129\.16$/,
  /^metadata\.(?:google\.internal|goog)$/,
];

/**
 * The address of an upstream. The host stays as it was written: an IP address is not turned into a name, since
 * certificates tell them apart.
 *
 * @throws GatewayError url_refused
 */
export function parseUpstreamUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw refused('expected an absolute http or https URL');
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw refused(`expected an http or https URL, met the scheme ${url.protocol.slice(0, -1)}`);
  if (url.username !== '' || url.password !== '')
    throw refused(
      'expected a URL without user name and password',
      'give them as auth_username and auth_password with auth_type basic',
    );
  if (url.hash !== '') throw refused('expected a URL without a fragment');
  const host = url.hostname.replace(/\.$/, '');
  if (REFUSED_HOSTS.some((pattern) => pattern.test(host)))
    throw refused(`${host} is a link-local or metadata address, which no MCP server has`);
  return url;
}

const refused = (message: string, hint?: string): GatewayError =>
  new GatewayError('url_refused', message, hint === undefined ? {} : { hint });
