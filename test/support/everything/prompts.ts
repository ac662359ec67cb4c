import { acceptedContent, completable, inputRequired } from '@modelcontextprotocol/server';
import type { ContentBlock, GetPromptResult, McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod/v4';
import { elicit } from './asking-tools.ts';
import { IMAGE } from './media.ts';

const PLACES = ['paris', 'park', 'party', 'test'];

const messages = (...contents: readonly (ContentBlock | string)[]): GetPromptResult => ({
  messages: contents.map((content) => ({
    role: 'user',
    content: typeof content === 'string' ? { type: 'text', text: content } : content,
  })),
});

export function addPrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'One message' }, () =>
    messages('This is a simple prompt for testing.'),
  );

  const place = completable(z.string().describe('First test argument'), (value) =>
    PLACES.filter((name) => name.startsWith(value)),
  );
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'Repeats its arguments',
      argsSchema: z.object({ arg1: place, arg2: z.string().describe('Second test argument') }),
    },
    ({ arg1, arg2 }) => messages(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`),
  );

  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'Embeds a resource', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) =>
      messages(
        { type: 'resource', resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded for testing.' } },
        'Please process the embedded resource above.',
      ),
  );

  server.registerPrompt('test_prompt_with_image', { description: 'Shows an image' }, () =>
    messages(IMAGE, 'Please analyze the image above.'),
  );

  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'Asks before it answers' },
    ({ mcpReq }) => {
      const answer = acceptedContent(mcpReq.inputResponses, 'user_context');
      if (answer) return messages(`Context: ${String(answer['context'])}`);
      const question = elicit('What context should the prompt use?', { context: { type: 'string' } });
      return inputRequired({ inputRequests: { user_context: question } });
    },
  );
}
