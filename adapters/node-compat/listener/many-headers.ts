import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';

/** Node leaves out what comes after its own 2,000: among them may be what a proxy says of its caller. */
const MAX_HEADERS = 256;

/** Whether a request has more headers than anybody needs. */
export const hasTooManyHeaders = ({ rawHeaders }: { readonly rawHeaders: readonly string[] }): boolean =>
  rawHeaders.length > 2 * MAX_HEADERS;

/** Answers it, and ends a connection of HTTP/1.1. @see https://www.rfc-editor.org/rfc/rfc6585#section-5 */
export function refuseHeaders(outgoing: ServerResponse | Http2ServerResponse): void {
  if ('stream' in outgoing) outgoing.writeHead(431).end();
  else outgoing.writeHead(431, { connection: 'close' }).end();
}
