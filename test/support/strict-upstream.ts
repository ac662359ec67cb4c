import { startMcpUpstream } from './mcp-upstream.ts';
import type { McpUpstream, McpUpstreamOptions } from './mcp-upstream.ts';
import { mintPki } from './pki.ts';
import type { MintedCa, MintedCertificate, TestPki } from './pki.ts';

/** An MCP server that demands a client certificate, and what it takes to register it. */
export interface StrictUpstream {
  readonly upstream: McpUpstream;
  readonly pki: TestPki;
  readonly ca: MintedCa;
  readonly server: MintedCertificate;
  readonly client: MintedCertificate;
  /** For `register`: name `up`, URL, CA and identity. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Common name of the certificate Postern is given. */
export const CLIENT = 'postern-client';

/** Starts one on 127.0.0.1 under a private CA. */
export async function startStrictUpstream(options: McpUpstreamOptions = {}): Promise<StrictUpstream> {
  const pki = await mintPki();
  const ca = await pki.ca('Private CA');
  const server = await ca.issue({ cn: 'server', ip: ['127.0.0.1'], eku: 'server' });
  const client = await ca.issue({ cn: CLIENT, eku: 'client' });
  const tls = { cert: server.chainPem, key: server.keyPem, ca: ca.pem, requireClientCertificate: true };
  const upstream = await startMcpUpstream({ tls, ...options });
  const identity = { client_cert: client.chainPem, client_key: client.keyPem };
  return {
    upstream,
    pki,
    ca,
    server,
    client,
    fields: { name: 'up', url: upstream.url, ca_certificate: ca.pem, ...identity },
  };
}
