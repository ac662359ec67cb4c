import { GatewayError } from '../../../base/errors.ts';
import { textWithin } from '../../read-text.ts';
import type { Incoming } from '../../access.ts';
import type { AnswerMcp } from '../address.ts';
import type { PipeAnswer } from './pipe-answer.ts';
import type { PipeSend } from './pipe-session.ts';
import type { FindServer } from '../servers.ts';

/** What belongs to the request a header came with, not to the client behind it. */
const OF_ONE_REQUEST =
  /^(?:mcp-(?:session-id|protocol-version|method|name|param-.*)|last-event-id|content-length|transfer-encoding|connection|upgrade)$/;

/**
 * Sends the requests of a pipe to the MCP endpoint of this process: through the same door as requests from outside, so
 * that who calls and whether they may is asked each time.
 *
 * @param latest the request the client last came with; its credentials and other headers go along
 */
export function sendInside(answer: AnswerMcp, find: FindServer, latest: () => Incoming): PipeSend {
  return async ({ method, headers, body, signal }) => {
    const { request: before, connection } = latest();
    const { url, headers: sent } = before;
    const all = new Headers(sent);
    for (const name of sent.keys()) if (OF_ONE_REQUEST.test(name)) all.delete(name);
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    const request = new Request(url, { method, headers: all, ...(body !== undefined && { body }) });
    return pipeAnswer(await answer({ request, connection }, find, signal));
  };
}

function pipeAnswer({ status, headers, body }: Response): PipeAnswer {
  const tooLarge = (limitBytes: number) => () =>
    new GatewayError('upstream_too_large', `the answer exceeds ${limitBytes} bytes`);
  return {
    status,
    headers: Object.fromEntries(headers),
    text: async (limitBytes) => (body ? textWithin(body, limitBytes, tooLarge(limitBytes)) : ''),
    stream: () => body ?? new ReadableStream({ start: (controller) => controller.close() }),
  };
}
