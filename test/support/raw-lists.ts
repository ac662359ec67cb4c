/** Lists as they arrive, without a client in between that would parse or page them. */
import { postMessage } from './mcp-client.ts';

export interface RawList {
  readonly text: string;
  readonly status: number;
  readonly result: Readonly<Record<string, unknown>> | undefined;
  readonly error: { readonly code: number; readonly message: string } | undefined;
  readonly names: readonly string[];
  readonly meta: Readonly<Record<string, unknown>>;
}

export interface RawListOptions {
  readonly method?: string;
  readonly id?: string | number;
  readonly params?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** Asks for one page of a list, by default of tools, in one era. */
export async function rawList(
  url: string,
  token: string,
  era: 'legacy' | 'modern',
  { method = 'tools/list', id = 1, params = {}, headers = {} }: RawListOptions = {},
): Promise<RawList> {
  const _meta = era === 'modern' ? { _meta: ENVELOPE } : {};
  const message = { jsonrpc: '2.0', id, method, params: { ...params, ..._meta } };
  const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method };
  const response = await postMessage(url, token, message, { ...(era === 'modern' && modern), ...headers });
  const text = await response.text();
  const { result, error } = JSON.parse(text) as Pick<RawList, 'result' | 'error'>;
  const items = Object.values(result ?? {}).find((value) => Array.isArray(value)) as { name: string }[] | undefined;
  return {
    text,
    status: response.status,
    result,
    error,
    names: (items ?? []).map(({ name }) => name),
    meta: (result?.['_meta'] ?? {}) as RawList['meta'],
  };
}
