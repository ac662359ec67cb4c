/** Numbers of JSON-RPC errors. @see https://www.jsonrpc.org/specification#error_object and MCP, both eras */
export const RPC = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  /** Of the legacy era; the modern one says `invalidParams`. */
  resourceNotFound: -32002,
  /** Of the modern era, as are those below. */
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
} as const;
