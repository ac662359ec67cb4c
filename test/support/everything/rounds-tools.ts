/** Tools of multi-round-trip requests: they answer `input_required` and carry their state through the client. */
import {
  CLIENT_CAPABILITIES_META_KEY,
  acceptedContent,
  inputRequired,
  inputResponse,
} from '@modelcontextprotocol/server';
import type {
  ClientCapabilities,
  InputRequests,
  McpServer,
  RequestStateCodec,
  ServerContext,
  ToolCallback,
} from '@modelcontextprotocol/server';
import { elicit, sample } from './asking-tools.ts';
import { text } from './media.ts';

/** What a tool remembers between two rounds. */
export interface RoundState {
  readonly step: number;
  readonly name?: string | undefined;
}

const PREFIX = 'test_input_required_result_';
const CONFIRM = elicit('Please confirm', { ok: { type: 'boolean' } });
const NAME = elicit('What is your name?', { name: { type: 'string' } });

const accepted = ({ mcpReq }: ServerContext, key: string): Record<string, unknown> | undefined =>
  acceptedContent(mcpReq.inputResponses, key);

/** What the client said it can do: with this request in the modern era, when it initialized in the legacy one. */
function capabilitiesOf({ server }: McpServer, { envelope }: ServerContext['mcpReq']): ClientCapabilities | undefined {
  // the SDK types the envelope as empty
  const said: { [CLIENT_CAPABILITIES_META_KEY]?: ClientCapabilities } | undefined = envelope;
  return said?.[CLIENT_CAPABILITIES_META_KEY] ?? server.getClientCapabilities();
}

export function addRoundsTools(server: McpServer, state: RequestStateCodec<RoundState>): void {
  const add = (name: string, description: string, run: ToolCallback) =>
    void server.registerTool(PREFIX + name, { description }, run);
  const stateOf = ({ mcpReq }: ServerContext): RoundState | undefined => mcpReq.requestState<RoundState>();
  const ask = async (inputRequests: InputRequests, next: RoundState, context: ServerContext) =>
    inputRequired({ inputRequests, requestState: await state.mint(next, context) });

  add('elicitation', 'Greets by name', (context) => {
    const name = accepted(context, 'user_name')?.['name'];
    if (typeof name !== 'string') return inputRequired({ inputRequests: { user_name: NAME } });
    return text(`Hello, ${name}!`);
  });
  add('sampling', 'Asks the model', ({ mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, 'capital_question');
    if (answer.kind === 'sampling') return text(`answered: ${JSON.stringify(answer.result.content)}`);
    return inputRequired({ inputRequests: { capital_question: sample('What is the capital of France?') } });
  });
  add('list_roots', 'Asks for roots', ({ mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, 'client_roots');
    if (answer.kind === 'roots') return text(`roots: ${answer.roots.map(({ uri }) => uri).join(', ')}`);
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
  });
  add('request_state', 'Wants its state back with the answer', (context) =>
    stateOf(context) && accepted(context, 'confirm')
      ? text('state-ok')
      : ask({ confirm: CONFIRM }, { step: 1 }, context),
  );
  add('tampered_state', 'Refuses a state it did not make', (context) =>
    stateOf(context) ? text('state-ok') : ask({ confirm: CONFIRM }, { step: 1 }, context),
  );
  add('multiple_inputs', 'Asks three things at once', (context) => {
    const inputRequests: InputRequests = {
      user_name: NAME,
      greeting: sample('Generate a greeting', 50),
      client_roots: inputRequired.listRoots(),
    };
    const missing = Object.keys(inputRequests).filter(
      (key) => inputResponse(context.mcpReq.inputResponses, key).kind === 'missing',
    );
    if (stateOf(context) && missing.length === 0) return text('all inputs received');
    return ask(inputRequests, { step: 1 }, context);
  });
  add('multi_round', 'Asks in two rounds', (context) => {
    const known = stateOf(context);
    if (!known) return ask({ step1: elicit('Step 1: your name?', { name: { type: 'string' } }) }, { step: 1 }, context);
    if (known.step === 1) {
      const name = accepted(context, 'step1')?.['name'];
      const colour = elicit('Step 2: your favourite colour?', { color: { type: 'string' } });
      return ask({ step2: colour }, { step: 2, name: String(name) }, context);
    }
    return text(`${known.name} likes ${String(accepted(context, 'step2')?.['color'])}`);
  });
  add('capabilities', 'Asks only what the client can answer', ({ mcpReq }) => {
    if (Object.keys(mcpReq.inputResponses ?? {}).length > 0) return text('answered');
    const can = capabilitiesOf(server, mcpReq);
    const inputRequests: InputRequests = {
      ...(can?.sampling && { thought: sample('Think of a number') }),
      ...(can?.elicitation && { confirm: CONFIRM }),
    };
    if (Object.keys(inputRequests).length === 0) return text('nothing to ask');
    return inputRequired({ inputRequests });
  });
}
