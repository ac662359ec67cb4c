/**
 * The upstream of the conformance suite: every tool, prompt and resource its server scenarios ask for, in both eras, on
 * the official SDK.
 */
import {
  McpServer,
  createMcpHandler,
  createRequestStateCodec,
  hostHeaderValidationResponse,
  isLegacyRequest,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
} from '@modelcontextprotocol/server';
import type { RegisteredPrompt, RegisteredTool } from '@modelcontextprotocol/server';
import { addAskingTools } from './asking-tools.ts';
import { addContentTools } from './content-tools.ts';
import { serveFetch } from './serve-fetch.ts';
import type { FetchServer } from './serve-fetch.ts';
import { text } from './media.ts';
import { addPrompts } from './prompts.ts';
import { addResources } from './resources.ts';
import { createResumableSessions } from './resumable-sessions.ts';
import { addRoundsTools } from './rounds-tools.ts';
import type { RoundState } from './rounds-tools.ts';

const CAPABILITIES = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  completions: {},
  logging: {},
};

/** One instance of the server, with what comes and goes in it. */
interface Instance {
  readonly server: McpServer;
  readonly tool: RegisteredTool;
  readonly prompt: RegisteredPrompt;
}

/** Starts it on a free port. @param era which generations are served: both, or one only */
export async function startEverything(era: 'dual' | 'legacy' | 'modern' = 'dual'): Promise<FetchServer> {
  const state = createRequestStateCodec<RoundState>({ key: crypto.getRandomValues(new Uint8Array(32)) });
  const shown = { tool: false, prompt: false };
  /** Of legacy sessions; in the modern era each request has one of its own. */
  const instances = new Set<Instance>();

  const build = (): Instance => {
    const server = new McpServer(
      { name: 'everything', version: '1.0.0' },
      { capabilities: CAPABILITIES, requestState: { verify: (sealed, context) => state.verify(sealed, context) } },
    );
    addContentTools(server);
    addAskingTools(server);
    addRoundsTools(server, state);
    addPrompts(server);
    addResources(server);
    server.registerTool('test_trigger_tool_change', { description: 'Adds or removes a tool' }, () => {
      shown.tool = !shown.tool;
      for (const { tool } of instances) tool.update({ enabled: shown.tool });
      modern.notify.toolsChanged();
      return text('changed');
    });
    server.registerTool('test_trigger_prompt_change', { description: 'Adds or removes a prompt' }, () => {
      shown.prompt = !shown.prompt;
      for (const { prompt } of instances) prompt.update({ enabled: shown.prompt });
      modern.notify.promptsChanged();
      return text('changed');
    });
    const tool = server.registerTool('extra_tool', { description: 'Comes and goes' }, () => text('here'));
    const prompt = server.registerPrompt('extra_prompt', { description: 'Comes and goes' }, () => ({ messages: [] }));
    tool.update({ enabled: shown.tool });
    prompt.update({ enabled: shown.prompt });
    return { server, tool, prompt };
  };
  const modern = createMcpHandler(() => build().server, { legacy: 'reject' });
  const legacy = createResumableSessions(() => {
    const instance = build();
    instances.add(instance);
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- it is not an event target
    instance.server.server.onclose = () => instances.delete(instance);
    return instance.server;
  });

  const server = await serveFetch(async (request) => {
    const refused =
      hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
      originValidationResponse(request, localhostAllowedOrigins());
    if (refused) return refused;
    const isLegacy = era === 'legacy' || (era === 'dual' && (await isLegacyRequest(request)));
    return isLegacy ? legacy.handle(request) : modern.fetch(request);
  });
  return {
    ...server,
    async close() {
      await Promise.all([modern.close(), legacy.closeAll()]);
      await server.close();
    },
  };
}
