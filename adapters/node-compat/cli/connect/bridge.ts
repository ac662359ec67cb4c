import type { Writable } from 'node:stream';
import { GatewayError, LineParser, MESSAGE_BYTES, MessagePipe } from '../../../../src/index.ts';
import type { Clock, PipeSend } from '../../../../src/index.ts';

/** The two ends of a bridge. */
export interface BridgeOptions {
  readonly input: AsyncIterable<Uint8Array>;
  readonly output: Writable;
  readonly send: PipeSend;
  readonly clock: Clock;
  /** Ends it at once. */
  readonly stop: AbortSignal;
  /** Told of failures that do not end it. */
  readonly log: (error: GatewayError) => void;
}

/** How long what was asked may take after the client said its last word. */
const LAST_ANSWERS_MS = 30_000;

const LOST_CREDENTIALS = new Set<string>(['unauthenticated', 'token_expired']);
/** What means, before a server was ever reached, that this one will not be. */
const FATAL_CODES = new Set<string>(['forbidden', 'host_not_allowed', 'not_found', 'upstream_redirect']);
const FATAL_STAGES = new Set<string>(['dns', 'tcp', 'tls', 'config']);

/**
 * Carries messages between a client on two streams, one message a line, and a Streamable HTTP server, until the client
 * ends it or the server refuses it. Requests in flight are answered in either case.
 *
 * @returns why the server refused; undefined when it did not
 * @see MCP 2025-11-25, transports, stdio
 */
export async function bridge(options: BridgeOptions): Promise<GatewayError | undefined> {
  const { input, output, clock, stop, log } = options;
  const refused = Promise.withResolvers<GatewayError>();
  let isReached = false;
  let lastFailure: GatewayError | undefined;
  const pipe = new MessagePipe({
    clock,
    send: async (request) => {
      const answer = await options.send(request);
      isReached ||= answer.status < 400;
      return answer;
    },
    deliver: (text) => new Promise((resolve) => void output.write(`${text}\n`, () => resolve())),
    onFailure: (error) => {
      lastFailure = error;
      if (isFatal(error, isReached)) refused.resolve(error);
      else log(error);
    },
  });
  const left = Promise.race([aborted(stop), closed(output)]);
  const ended = takeAll(input, pipe).then(async () => {
    pipe.stopListening();
    await Promise.race([pipe.finish(), new Promise<void>((resolve) => void clock.after(LAST_ANSWERS_MS, resolve))]);
  });
  const refusal = await Promise.race([refused.promise, left, ended]);
  await pipe.close(refusal ?? new GatewayError('call_cancelled', 'the client ended the connection'));
  return refusal ?? (isReached || stop.aborted ? undefined : lastFailure);
}

function isFatal({ code, facts }: GatewayError, isReached: boolean): boolean {
  if (LOST_CREDENTIALS.has(code)) return true;
  return !isReached && (FATAL_CODES.has(code) || FATAL_STAGES.has(facts.stage));
}

async function takeAll(input: AsyncIterable<Uint8Array>, pipe: MessagePipe): Promise<void> {
  const parser = new LineParser(MESSAGE_BYTES);
  try {
    for await (const chunk of input) await takeLines(parser.push(chunk), pipe);
  } catch {
    // an input that breaks has ended
  }
  await takeLines(parser.end(), pipe);
}

async function takeLines(lines: readonly (string | undefined)[], pipe: MessagePipe): Promise<void> {
  for (const line of lines)
    if (line === undefined)
      await pipe.fail(null, new GatewayError('request_too_large', `a message exceeds ${MESSAGE_BYTES} bytes`));
    else await pipe.take(line);
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

/** Resolves when nobody reads any more. */
function closed(output: Writable): Promise<undefined> {
  return new Promise((resolve) => {
    for (const event of ['close', 'error']) output.once(event, () => resolve(undefined));
  });
}
