import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { RequestOptions } from 'node:https';

export interface HttpsAnswer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends a request, a POST where it has a body, over a connection of its own unless an agent is given; the whole answer. */
export async function askHttps(
  url: string,
  { body, ...options }: RequestOptions & { readonly body?: string | undefined },
): Promise<HttpsAnswer> {
  const sent = request(url, { agent: false, method: body === undefined ? 'GET' : 'POST', ...options });
  const [response] = (await once(sent.end(body), 'response')) as [IncomingMessage];
  const text = (await response.setEncoding('utf8').toArray()).join('');
  return { status: response.statusCode, headers: response.headers, text };
}
