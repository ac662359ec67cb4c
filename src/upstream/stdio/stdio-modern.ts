import { GatewayError } from '../../base/errors.ts';
import type { ChannelResponse } from '../../tls/dialer.ts';
import { envelopeProblem } from '../../wire/envelope.ts';
import { isRequest, parseMessage, type JsonRpcResponse } from '../../wire/json-rpc.ts';
import { RPC } from '../../wire/rpc-codes.ts';
import { finished, messageResponse, rpcRefusal } from '../ready-response.ts';
import type { StdioConversation } from './stdio-conversation.ts';
import { sharedQuestion } from './stdio-question.ts';
import type { TransportRequest } from '../transport.ts';

/** The one process that all requests of the modern era share; started on first use, and again after it ended. */
export class StdioModern {
  readonly #start: () => Promise<StdioConversation>;
  readonly #end: (conversation: StdioConversation, reason: GatewayError) => void;
  #conversation: Promise<StdioConversation> | undefined;
  /** The process that has shown that it speaks this era. */
  #proven: StdioConversation | undefined;
  #lastId = 0;

  constructor(
    start: () => Promise<StdioConversation>,
    end: (conversation: StdioConversation, reason: GatewayError) => void,
  ) {
    this.#start = start;
    this.#end = end;
  }

  async send(request: TransportRequest): Promise<ChannelResponse> {
    if (request.method !== 'POST') return finished(request, rpcRefusal(405, -32000, 'only POST is used here'));
    const message = parseMessage(request.body ?? '');
    // ids are ours here, so what names one of the caller's must not go
    if (!isRequest(message))
      return finished(request, rpcRefusal(400, RPC.invalidRequest, 'the modern era has requests only'));
    // standard streams have no headers, so the program cannot compare them
    const problem = envelopeProblem({ get: (name) => request.headers[name] ?? null }, message);
    if (problem !== undefined)
      return finished(request, messageResponse({ jsonrpc: '2.0', id: message.id, error: problem }, 400));
    const conversation = await this.#open();
    const onAnswer = (answer: JsonRpcResponse): void => {
      if ('result' in answer) this.#proven = conversation;
      else if (request.mcpMethod === 'server/discover') this.#dismiss(conversation);
    };
    return conversation.ask(request, { ...sharedQuestion(message, ++this.#lastId), onAnswer });
  }

  /** Ends the process, one that is being started included. */
  async close(reason: GatewayError): Promise<void> {
    const conversation = await this.#conversation?.catch(() => undefined);
    if (conversation) this.#end(conversation, reason);
  }

  async #open(): Promise<StdioConversation> {
    for (;;) {
      this.#conversation ??= this.#started();
      const held = this.#conversation;
      const open = await held;
      if (open.ended === undefined) return open;
      // others may have found the same one ended, and have started the next
      if (this.#conversation === held) this.#conversation = undefined;
    }
  }

  async #started(): Promise<StdioConversation> {
    try {
      return await this.#start();
    } catch (error) {
      this.#conversation = undefined;
      throw error;
    }
  }

  /** A program that does not know the era need not wait for more of it. */
  #dismiss(conversation: StdioConversation): void {
    if (this.#proven === conversation || !conversation.isIdle) return;
    this.#end(conversation, new GatewayError('process_exited', 'the program does not speak 2026-07-28'));
  }
}
