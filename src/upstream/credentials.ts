import { toBase64, utf8 } from '../base/bytes.ts';
import { GatewayError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import { VIA, viaThrough } from '../wire/via.ts';
import type { HttpTarget } from './upstream-config.ts';

/**
 * An Authorization header for a user name and a password, which may contain colons.
 *
 * @throws GatewayError config_invalid for a user name with a colon, which the header cannot express
 * @see https://www.rfc-editor.org/rfc/rfc7617#section-2
 */
export function basicAuthorization(username: string, password: Secret): Secret {
  if (username.includes(':'))
    throw new GatewayError(
      'config_invalid',
      'expected a user name without a colon, which basic authentication cannot carry',
    );
  return new Secret(`Basic ${toBase64(utf8(`${username}:${password.reveal()}`))}`);
}

/** An Authorization header for a token. @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
export function bearerAuthorization(token: Secret): Secret {
  return new Secret(`Bearer ${token.reveal()}`);
}

/** What every request to one upstream carries, worked out once. */
export interface Outbound {
  /** Path and query, credentials included. */
  readonly path: string;
  /** The headers of a request: the given ones that may go upstream, and our credentials. */
  readonly headers: (given: Readonly<Record<string, string>>) => Record<string, string>;
  /** Path and query of another address at the same origin, with our query credentials. */
  readonly pathOf: (url: URL) => string;
}

/** Never copied from a caller: credentials of the gateway's callers, and what belongs to one hop. */
const KEPT_BACK = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'host',
  'connection',
  'content-length',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const RESERVED = new Set([...KEPT_BACK, 'mcp-session-id', 'mcp-protocol-version', 'content-type', 'accept', VIA]);
RESERVED.delete('authorization');
RESERVED.delete('cookie');

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Works out what every request carries.
 *
 * @param viaName how this gateway names itself to those behind it
 * @throws GatewayError config_invalid for a credential no header can carry; its value is not in the message
 */
export function openOutbound({ url, credentials }: Pick<HttpTarget, 'url' | 'credentials'>, viaName: string): Outbound {
  // identity, since bodies are relayed as they come
  const own: Record<string, string> = { 'accept-encoding': 'identity' };
  for (const [name, secret] of Object.entries(credentials.headers)) {
    assertHeader(name, secret.reveal());
    own[name] = secret.reveal();
  }
  const pathOf = (address: URL): string => {
    const withQuery = new URL(address);
    for (const [name, secret] of Object.entries(credentials.query)) withQuery.searchParams.set(name, secret.reveal());
    return withQuery.pathname + withQuery.search;
  };
  return {
    path: pathOf(url),
    pathOf,
    headers(given) {
      const headers: Record<string, string> = {};
      for (const name in given) {
        const value = given[name];
        if (value !== undefined && !KEPT_BACK.has(name)) headers[name] = value;
      }
      headers[VIA] = viaThrough(given[VIA], viaName);
      return Object.assign(headers, own);
    },
  };
}

/** Whether a credential may travel in the header of this name, in lower case: those of a hop and of MCP are ours. */
export function mayBeCredential(name: string): boolean {
  return HEADER_NAME.test(name) && !RESERVED.has(name);
}

function assertHeader(name: string, value: string): void {
  if (!mayBeCredential(name))
    throw new GatewayError('config_invalid', `expected the name of a credential header, met ${JSON.stringify(name)}`);
  if (!HEADER_VALUE.test(value))
    throw new GatewayError(
      'config_invalid',
      `the value of the header ${name} contains characters no header can carry`,
      {
        hint: 'look for a line break at the end of the pasted value',
      },
    );
}
