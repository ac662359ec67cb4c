/** Legacy sessions whose streams can be resumed with Last-Event-ID. */
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import type { EventStore, JSONRPCMessage, McpServer } from '@modelcontextprotocol/server';

/** Milliseconds after which a client is told to come back to a stream that ended. */
const RETRY_MS = 500;

interface StoredEvent {
  readonly id: string;
  readonly streamId: string;
  readonly message: JSONRPCMessage;
}

function createEventStore(): EventStore {
  const events: StoredEvent[] = [];
  return {
    async storeEvent(streamId, message) {
      const id = `${streamId}/${events.length}`;
      events.push({ id, streamId, message });
      return id;
    },
    async replayEventsAfter(lastEventId, { send }) {
      const last = events.findIndex(({ id }) => id === lastEventId);
      const streamId = events[last]?.streamId;
      if (streamId === undefined) throw new Error('unknown event id');
      const missed = events.slice(last + 1).filter((event) => event.streamId === streamId);
      // the event that opens a stream carries an empty message
      for (const { id, message } of missed) if ('jsonrpc' in message) await send(id, message);
      return streamId;
    },
  };
}

export interface ResumableSessions {
  handle(request: Request): Promise<Response>;
  closeAll(): Promise<void>;
}

export function createResumableSessions(build: () => McpServer): ResumableSessions {
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>();
  return {
    async handle(request) {
      const sessionId = request.headers.get('mcp-session-id');
      if (sessionId !== null) {
        const error = { code: -32001, message: 'Session not found' };
        const lost = () => Response.json({ jsonrpc: '2.0', error, id: null }, { status: 404 });
        return sessions.get(sessionId)?.handleRequest(request) ?? lost();
      }
      const transport = new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: () => crypto.randomUUID(),
        eventStore: createEventStore(),
        retryInterval: RETRY_MS,
        onsessioninitialized: (id) => void sessions.set(id, transport),
        onsessionclosed: (id) => void sessions.delete(id),
      });
      await build().connect(transport);
      return transport.handleRequest(request);
    },
    async closeAll() {
      for (const transport of sessions.values()) await transport.close();
      sessions.clear();
    },
  };
}
