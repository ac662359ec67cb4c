/** What browsers are told, and for how long. */
export interface SecurityHeaderSettings {
  readonly securityHeadersEnabled: boolean;
  readonly frameOptions: 'DENY' | 'SAMEORIGIN';
  readonly hstsEnabled: boolean;
  readonly hstsMaxAgeSeconds: number;
}

/** Adds to an answer what it lacks of them. */
export type Secured = (answer: Response, request: Request) => Response;

/**
 * Headers that keep browsers from guessing a type, from framing an answer and from keeping it. Answers of MCP have less
 * of it, written into them: they are no documents, and to add headers later costs a tenth of a call.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6797 for Strict-Transport-Security
 */
export function securityHeaders(settings: SecurityHeaderSettings): Secured {
  const { securityHeadersEnabled, frameOptions, hstsEnabled, hstsMaxAgeSeconds } = settings;
  if (!securityHeadersEnabled) return (answer) => answer;
  const ancestors = frameOptions === 'DENY' ? "'none'" : "'self'";
  const always = Object.entries({
    'x-content-type-options': 'nosniff',
    'x-frame-options': frameOptions,
    'referrer-policy': 'no-referrer',
    'content-security-policy': `default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors ${ancestors}`,
    // nearly every answer depends on who asks
    'cache-control': 'no-store',
  });
  const hsts = `max-age=${hstsMaxAgeSeconds}`;
  return (answer, request) => {
    const { headers } = answer;
    for (const [name, value] of always) if (!headers.has(name)) headers.set(name, value);
    if (hstsEnabled && isHttps(request) && !isThisMachine(request)) headers.set('strict-transport-security', hsts);
    return answer;
  };
}

/** To us, or to the proxy before us: one that is not believed has no such header by the time this is asked. */
function isHttps({ url, headers }: Request): boolean {
  return url.startsWith('https:') || headers.get('x-forwarded-proto') === 'https';
}

/** A browser would hold every other port of it to HTTPS as well. */
function isThisMachine({ url }: Request): boolean {
  return /^(?:.+\.)?localhost$/.test(new URL(url).hostname);
}
