import {
  ProtocolError,
  Server,
  inputRequired,
  type CallToolResult,
  type InputRequiredResult,
  type ServerContext,
} from '@modelcontextprotocol/server';

/** What an MCP server of the tests offers; `startMcpUpstream` serves it. */
export interface FixtureOptions {
  /** serverInfo.name; default `fixture`. */
  readonly name?: string | undefined;
  readonly instructions?: string | undefined;
  /** Leaves prompts, resources, completion and logging out, capabilities included. */
  readonly toolsOnly?: boolean | undefined;
  /** Further tools by name; each answers with its own name. */
  readonly extraTools?: readonly string[] | undefined;
  /** A second prompt `part` and a second template `test://vault/{id}`. Default false. */
  readonly twins?: boolean | undefined;
  /** Further tools of the test's own. */
  readonly ownTools?: Readonly<Record<string, FixtureTool>> | undefined;
  /** Items per page of every listing; absent means one page. */
  readonly pageSize?: number | undefined;
  /** Makes the cursor of the second page the empty string, which is a valid cursor. */
  readonly emptyCursor?: boolean | undefined;
}

/** State the Server instances of one upstream share. */
export interface FixtureState {
  /** Resolvers of `hold` calls that are waiting, with the text each came with. */
  readonly held: Map<() => void, unknown>;
  onHeld: () => void;
  /** Toggled by `change_tools`. */
  changed: boolean;
  onToolsChanged: () => void;
}

type Args = Readonly<Record<string, unknown>>;
export interface FixtureTool {
  readonly description: string;
  readonly properties: Readonly<Record<string, { readonly type: string }>>;
  run(
    args: Args,
    ctx: ServerContext,
  ): Promise<CallToolResult | InputRequiredResult> | CallToolResult | InputRequiredResult;
}

const text = (value: string): CallToolResult => ({ content: [{ type: 'text', text: value }] });
const string = { type: 'string' };
const integer = { type: 'integer' };

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });

function fixtureTools(state: FixtureState): Record<string, FixtureTool> {
  return {
    echo: { description: 'Answers with its text', properties: { text: string }, run: ({ text: t }) => text(String(t)) },
    add: {
      description: 'Adds two numbers',
      properties: { a: { type: 'number' }, b: { type: 'number' } },
      run: ({ a, b }) => text(String(Number(a) + Number(b))),
    },
    slow: {
      description: 'Answers after ms milliseconds',
      properties: { ms: integer },
      async run({ ms }, ctx) {
        await pause(Number(ms), ctx.mcpReq.signal);
        return text('slow');
      },
    },
    hold: {
      description: 'Answers when the test releases it',
      properties: { text: string },
      async run({ text: heldText }, ctx) {
        await new Promise<void>((resolve) => {
          state.held.set(resolve, heldText);
          ctx.mcpReq.signal.addEventListener('abort', () => {
            state.held.delete(resolve);
            resolve();
          });
          state.onHeld();
        });
        return text('released');
      },
    },
    fail: {
      description: 'Reports a tool error',
      properties: {},
      run: () => ({ ...text('this tool always fails'), isError: true }),
    },
    error: {
      description: 'Answers with a JSON-RPC error',
      properties: {},
      run: () => {
        throw new ProtocolError(-32603, 'broken on purpose');
      },
    },
    progress: {
      description: 'Reports progress steps times, then, after ms milliseconds, answers',
      properties: { steps: integer, ms: integer },
      async run({ steps, ms }, ctx) {
        const progressToken = ctx.mcpReq._meta?.progressToken;
        const total = Number(steps ?? 3);
        const reports = progressToken === undefined ? 0 : total;
        for (let progress = 1; progress <= reports; progress++)
          await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total } });
        // clients forget the token with the result, so a result in the same chunk would hide the progress
        await pause(Number(ms ?? 10), ctx.mcpReq.signal);
        return text(`${total} steps`);
      },
    },
    log: {
      description: 'Logs one line, then answers',
      properties: { message: string },
      async run({ message }, ctx) {
        await ctx.mcpReq.log('info', message ?? 'a log line');
        return text('logged');
      },
    },
    sample: {
      description: 'Asks the client to sample',
      properties: { prompt: string },
      run({ prompt }, ctx) {
        const answer = ctx.mcpReq.inputResponses?.['answer'] as { content?: { text?: string } } | undefined;
        if (answer) return text(`sampled: ${answer.content?.text}`);
        const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: String(prompt) } }];
        return inputRequired({ inputRequests: { answer: inputRequired.createMessage({ messages, maxTokens: 100 }) } });
      },
    },
    elicit: {
      description: 'Asks the user',
      properties: { message: string },
      run({ message }, ctx) {
        const answer = ctx.mcpReq.inputResponses?.['answer'] as { action?: string; content?: unknown } | undefined;
        if (answer) return text(`${answer.action}: ${JSON.stringify(answer.content ?? {})}`);
        const requestedSchema = { type: 'object' as const, properties: { name: { type: 'string' as const } } };
        return inputRequired({
          inputRequests: { answer: inputRequired.elicit({ message: String(message), requestedSchema }) },
        });
      },
    },
    big: {
      description: 'Answers with that many bytes',
      properties: { bytes: integer },
      run: ({ bytes }) => text('x'.repeat(Number(bytes))),
    },
    change_tools: {
      description: 'Adds or removes the tool `changed` and announces it',
      properties: {},
      run() {
        state.changed = !state.changed;
        queueMicrotask(state.onToolsChanged);
        return text('changed');
      },
    },
  };
}

const named = (name: string): FixtureTool => ({ description: name, properties: {}, run: () => text(name) });

/** The bytes of `test://binary`. */
export const BINARY_BASE64 = 'AAECAwQF/v8=';

const RESOURCES = [
  { uri: 'test://text', name: 'Text', mimeType: 'text/plain' },
  { uri: 'test://binary', name: 'Binary', mimeType: 'application/octet-stream' },
];
const TEMPLATES = [{ uriTemplate: 'test://item/{id}', name: 'Item', mimeType: 'application/json' }];
const PROMPTS = [{ name: 'greet', description: 'Greets', arguments: [{ name: 'who', required: true }] }];
const TWIN_TEMPLATE = { uriTemplate: 'test://vault/{id}', name: 'Vault', mimeType: 'application/json' };
const TWIN_PROMPT = { name: 'part', description: 'Says goodbye', arguments: [{ name: 'who', required: true }] };

/** A fresh SDK Server; one per request or per session, all sharing `state`. */
export function buildFixture(options: FixtureOptions, state: FixtureState): Server {
  const tools = { ...fixtureTools(state), ...options.ownTools };
  for (const name of options.extraTools ?? []) tools[name] = named(name);
  const server = new Server(
    { name: options.name ?? 'fixture', version: '1.0.0' },
    {
      capabilities: options.toolsOnly
        ? { tools: { listChanged: true } }
        : {
            tools: { listChanged: true },
            prompts: {},
            resources: { subscribe: true, listChanged: true },
            completions: {},
            logging: {},
          },
      ...(options.instructions !== undefined && { instructions: options.instructions }),
    },
  );

  const page = <Item>(items: readonly Item[], cursor: string | undefined) => {
    const size = options.pageSize ?? items.length;
    const start = cursor === undefined ? 0 : cursor === '' ? size : Number(cursor);
    const end = start + size;
    const next = end >= items.length ? {} : { nextCursor: options.emptyCursor && start === 0 ? '' : String(end) };
    return { items: items.slice(start, end), next };
  };

  server.setRequestHandler('tools/list', ({ params }) => {
    const all = Object.entries(state.changed ? { ...tools, changed: named('changed') } : tools);
    const { items, next } = page(all, params?.cursor);
    return {
      tools: items.map(([name, { description, properties }]) => ({
        name,
        description,
        inputSchema: { type: 'object' as const, properties },
      })),
      ...next,
    };
  });
  server.setRequestHandler('tools/call', async ({ params }, ctx) => {
    const tool = state.changed && params.name === 'changed' ? named('changed') : tools[params.name];
    if (!tool) throw new ProtocolError(-32602, `unknown tool: ${params.name}`);
    return tool.run(params.arguments ?? {}, ctx);
  });
  if (!options.toolsOnly) addResourcesAndPrompts(server, page, options.twins ?? false);
  return server;
}

type Page = <Item>(
  items: readonly Item[],
  cursor: string | undefined,
) => { items: Item[]; next: { nextCursor?: string } };

function addResourcesAndPrompts(server: Server, page: Page, twins: boolean): void {
  const templates = twins ? [...TEMPLATES, TWIN_TEMPLATE] : TEMPLATES;
  const prompts = twins ? [...PROMPTS, TWIN_PROMPT] : PROMPTS;
  server.setRequestHandler('resources/list', ({ params }) => {
    const { items, next } = page(RESOURCES, params?.cursor);
    return { resources: items, ...next };
  });
  server.setRequestHandler('resources/templates/list', ({ params }) => {
    const { items, next } = page(templates, params?.cursor);
    return { resourceTemplates: items, ...next };
  });
  server.setRequestHandler('resources/read', ({ params: { uri } }) => {
    const item = /^test:\/\/(?:item|vault)\/(.+)$/.exec(uri)?.[1];
    if (uri === 'test://text') return { contents: [{ uri, mimeType: 'text/plain', text: 'static text' }] };
    if (uri === 'test://binary')
      return { contents: [{ uri, mimeType: 'application/octet-stream', blob: BINARY_BASE64 }] };
    if (item !== undefined)
      return { contents: [{ uri, mimeType: 'application/json', text: JSON.stringify({ id: item }) }] };
    throw new ProtocolError(-32602, 'resource not found', { uri });
  });
  server.setRequestHandler('resources/subscribe', () => ({}));
  server.setRequestHandler('resources/unsubscribe', () => ({}));
  server.setRequestHandler('prompts/list', ({ params }) => {
    const { items, next } = page(prompts, params?.cursor);
    return { prompts: items, ...next };
  });
  server.setRequestHandler('prompts/get', ({ params }) => {
    if (!prompts.some(({ name }) => name === params.name))
      throw new ProtocolError(-32602, `unknown prompt: ${params.name}`);
    const greeting = `Say hello to ${params.arguments?.['who']}`;
    return { messages: [{ role: 'user', content: { type: 'text', text: greeting } }] };
  });
  server.setRequestHandler('completion/complete', ({ params }) => {
    const values = ['paris', 'park', 'party'].filter((value) => value.startsWith(params.argument.value));
    return { completion: { values, total: values.length, hasMore: false } };
  });
}
