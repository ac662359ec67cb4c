/** Tools that only answer: each kind of content, errors, logging, progress, schemas. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fromJsonSchema } from '@modelcontextprotocol/server';
import type { ContentBlock, McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod/v4';
import { IMAGE, WAV_BASE64, text } from './media.ts';

/** The suite wants to see messages arrive one by one, not together with the result. */
const BETWEEN_MESSAGES_MS = 50;

const CONTENT: Readonly<Record<string, readonly ContentBlock[]>> = {
  test_simple_text: [{ type: 'text', text: 'This is a simple text response for testing.' }],
  test_image_content: [IMAGE],
  test_audio_content: [{ type: 'audio', data: WAV_BASE64, mimeType: 'audio/wav' }],
  test_embedded_resource: [
    {
      type: 'resource',
      resource: { uri: 'test://embedded-resource', mimeType: 'text/plain', text: 'This is an embedded resource.' },
    },
  ],
  test_multiple_content_types: [
    { type: 'text', text: 'Multiple content types test:' },
    IMAGE,
    {
      type: 'resource',
      resource: { uri: 'test://mixed-content-resource', mimeType: 'application/json', text: '{"value":123}' },
    },
  ],
};

/** Keywords a server or a gateway that knows an older JSON Schema would drop. */
const SCHEMA_2020_12 = fromJsonSchema({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
});

export function addContentTools(server: McpServer): void {
  for (const [name, content] of Object.entries(CONTENT))
    server.registerTool(name, { description: `Answers with ${content.map(({ type }) => type).join(', ')}` }, () => ({
      content: [...content],
    }));

  server.registerTool('test_error_handling', { description: 'Always fails' }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });

  server.registerTool('test_tool_with_logging', { description: 'Logs three lines' }, async ({ mcpReq }) => {
    await mcpReq.log('info', 'Tool execution started');
    await sleep(BETWEEN_MESSAGES_MS);
    await mcpReq.log('info', 'Tool processing data');
    await sleep(BETWEEN_MESSAGES_MS);
    await mcpReq.log('info', 'Tool execution completed');
    return text('logged three lines');
  });

  server.registerTool('test_logging_tool', { description: 'Logs one line' }, async ({ mcpReq }) => {
    await mcpReq.log('info', 'a log line');
    return text('logged one line');
  });

  server.registerTool('test_tool_with_progress', { description: 'Reports progress' }, async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined)
        await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
      await sleep(BETWEEN_MESSAGES_MS);
    }
    return text('done in three steps');
  });

  server.registerTool(
    'test_reconnection',
    { description: 'Ends its stream, then answers on the one that resumes' },
    async ({ http }) => {
      http?.closeSSE?.();
      await sleep(2 * BETWEEN_MESSAGES_MS);
      return text('Reconnection test completed successfully');
    },
  );

  const region = z.string().meta({ 'x-mcp-header': 'Region' });
  server.registerTool(
    'test_x_mcp_header',
    { description: 'Has an argument that is repeated in a header', inputSchema: z.object({ region }) },
    (args) => text(`region ${args.region}`),
  );

  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Tool with JSON Schema 2020-12 features', inputSchema: SCHEMA_2020_12 },
    () => text('accepted'),
  );
}
