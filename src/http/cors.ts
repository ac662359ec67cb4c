const EXPOSED = 'mcp-session-id, www-authenticate, retry-after, ratelimit, ratelimit-policy';

/** The answer to a browser's question before it calls, for an origin that was allowed before. @see https://fetch.spec.whatwg.org/#cors-preflight-fetch */
export function preflightAnswer(request: Request): Response | undefined {
  if (request.method !== 'OPTIONS') return undefined;
  const origin = request.headers.get('origin');
  if (origin === null || !request.headers.has('access-control-request-method')) return undefined;
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, POST, DELETE',
      // Mcp-Param-* is open-ended, so what is asked for is what is allowed
      'access-control-allow-headers': request.headers.get('access-control-request-headers') ?? '',
      'access-control-max-age': '600',
      vary: 'origin, access-control-request-headers',
    },
  });
}

/** Lets an allowed page read the answer; answers to other callers stay as they are. */
export function readableByPage(request: Request, answer: Response): Response {
  const origin = request.headers.get('origin');
  if (origin === null) return answer;
  const headers = new Headers(answer.headers);
  headers.set('access-control-allow-origin', origin);
  headers.set('access-control-expose-headers', EXPOSED);
  headers.append('vary', 'origin');
  return new Response(answer.body, { status: answer.status, headers });
}
