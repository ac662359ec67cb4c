/** What an MCP answer may be: one JSON-RPC message, or events that end with it. */
export const JSON_TYPE = 'application/json';
export const EVENTS_TYPE = 'text/event-stream';

/** Headers every POST of Streamable HTTP carries. @see MCP 2025-11-25, transports, Sending Messages to the Server */
export const POST_HEADERS = { accept: `${JSON_TYPE}, ${EVENTS_TYPE}`, 'content-type': JSON_TYPE } as const;

/** The head of an HTTP response. */
interface Head {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Whether a response is a stream of events. */
export const isEventStream = ({ status, headers }: Head): boolean => status === 200 && hasType(headers, EVENTS_TYPE);

/** Whether a response is JSON, whatever its status. */
export const isJson = ({ headers }: Pick<Head, 'headers'>): boolean => hasType(headers, JSON_TYPE);

const hasType = (headers: Head['headers'], type: string): boolean =>
  headers['content-type']?.toLowerCase().startsWith(type) ?? false;
