/** `legacy` negotiates once by initialize; `modern` carries an envelope in every request. */
export type Era = 'legacy' | 'modern';

/** The revision of the modern era we speak. */
export const MODERN_VERSION = '2026-07-28';
/** Every revision of the modern era we take. */
export const MODERN_VERSIONS: readonly string[] = [MODERN_VERSION];
/** The revision we offer in an initialize of our own. */
export const LATEST_LEGACY_VERSION = '2025-11-25';
/** Every revision of the legacy era we take, latest first. */
export const LEGACY_VERSIONS: readonly string[] = [
  LATEST_LEGACY_VERSION,
  '2025-06-18',
  '2025-03-26',
  '2024-11-05',
  '2024-10-07',
];
/** What a legacy request without MCP-Protocol-Version speaks (MCP 2025-11-25, Streamable HTTP). */
export const ASSUMED_LEGACY_VERSION = '2025-03-26';

/**
 * The era an MCP-Protocol-Version header asks for. Strings that are no legacy revision go the modern way, where they
 * are refused with the list of what is supported.
 */
export function eraOf(protocolVersion: string | undefined): Era {
  return protocolVersion === undefined || LEGACY_VERSIONS.includes(protocolVersion) ? 'legacy' : 'modern';
}

/** `_meta` keys of MCP itself begin with it; what else callers put there is for the server. */
export const META_PREFIX = 'io.modelcontextprotocol/';

/** `_meta` keys of the modern envelope. @see MCP 2026-07-28, basic */
export const META = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  logLevel: 'io.modelcontextprotocol/logLevel',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
} as const;
