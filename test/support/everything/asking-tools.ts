/** Tools that ask the client once; in the legacy era the SDK turns what they return into requests to the client. */
import { acceptedContent, inputRequired, inputResponse } from '@modelcontextprotocol/server';
import type {
  CallToolResult,
  ElicitRequestFormParams,
  InputRequiredResult,
  McpServer,
} from '@modelcontextprotocol/server';
import type { ServerContext } from '@modelcontextprotocol/server';
import * as z from 'zod/v4';
import { text } from './media.ts';

type Properties = ElicitRequestFormParams['requestedSchema']['properties'];

/** An elicitation whose every property is optional, so that a client may send its defaults. */
export const elicit = (message: string, properties: Properties) =>
  inputRequired.elicit({ message, requestedSchema: { type: 'object', properties } });

export const sample = (prompt: string, maxTokens = 100) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: prompt } }], maxTokens });

const titled = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([value, title]) => ({ const: value, title }));

const DEFAULTS: Properties = {
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
};

const ENUMS: Properties = {
  untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
  titledSingle: {
    type: 'string',
    oneOf: titled({ value1: 'First Option', value2: 'Second Option', value3: 'Third Option' }),
  },
  legacyEnum: {
    type: 'string',
    enum: ['opt1', 'opt2', 'opt3'],
    enumNames: ['Option One', 'Option Two', 'Option Three'],
  },
  untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
  titledMulti: {
    type: 'array',
    items: { anyOf: titled({ value1: 'First Choice', value2: 'Second Choice', value3: 'Third Choice' }) },
  },
};

function askUser(
  { mcpReq }: ServerContext,
  label: string,
  message: string,
  properties: Properties,
): CallToolResult | InputRequiredResult {
  const answer = inputResponse(mcpReq.inputResponses, 'answer');
  if (answer.kind !== 'elicit') return inputRequired({ inputRequests: { answer: elicit(message, properties) } });
  return text(`${label}: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`);
}

function askModel({ mcpReq }: ServerContext, prompt: string): CallToolResult | InputRequiredResult {
  const answer = inputResponse(mcpReq.inputResponses, 'answer');
  if (answer.kind !== 'sampling') return inputRequired({ inputRequests: { answer: sample(prompt) } });
  const [content] = [answer.result.content].flat();
  return text(`LLM response: ${content?.type === 'text' ? content.text : content?.type}`);
}

export function addAskingTools(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: 'Asks the model of the client', inputSchema: z.object({ prompt: z.string() }) },
    ({ prompt }, context) => askModel(context, prompt),
  );
  server.registerTool('test_missing_capability', { description: 'Asks the model of the client' }, (context) =>
    askModel(context, 'Say hello'),
  );
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the user', inputSchema: z.object({ message: z.string() }) },
    ({ message }, context) =>
      askUser(context, 'User response', message, {
        username: { type: 'string', description: "User's response" },
        email: { type: 'string', description: "User's email address" },
      }),
  );
  server.registerTool('test_elicitation_sep1034_defaults', { description: 'Asks with default values' }, (context) =>
    askUser(context, 'Elicitation completed', 'Please review the defaults', DEFAULTS),
  );
  server.registerTool('test_elicitation_sep1330_enums', { description: 'Asks for choices' }, (context) =>
    askUser(context, 'Elicitation completed', 'Please choose', ENUMS),
  );
  server.registerTool('test_streaming_elicitation', { description: 'Asks the user to go on' }, ({ mcpReq }) =>
    acceptedContent(mcpReq.inputResponses, 'proceed')
      ? text('went on')
      : inputRequired({ inputRequests: { proceed: elicit('Go on?', { ok: { type: 'boolean' } }) } }),
  );
}
