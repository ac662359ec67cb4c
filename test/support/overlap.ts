import { grantUpkeep } from '../../src/policy/grant.ts';
import { startGateway } from './gateway.ts';
import type { TestGateway, TestGatewayOptions } from './gateway.ts';
import { connectClient } from './mcp-client.ts';
import { startMcpUpstream } from './mcp-upstream.ts';
import type { McpUpstream } from './mcp-upstream.ts';
import { mintPki } from './pki.ts';
import type { MintedCertificate, TestPki } from './pki.ts';

/** One generation of certificates: an authority, and what it issued to the server and to us. */
export interface CertificateGeneration {
  readonly caPem: string;
  readonly server: MintedCertificate;
  readonly client: MintedCertificate;
}

export async function mintGeneration(name: string, pki?: TestPki): Promise<CertificateGeneration> {
  const ca = await (pki ?? (await mintPki())).ca(`${name} CA`);
  return {
    caPem: ca.pem,
    server: await ca.issue({ cn: `${name} server`, ip: ['127.0.0.1'], eku: 'server' }),
    client: await ca.issue({ cn: `${name} client`, eku: 'client' }),
  };
}

/** The identity and the trust of a generation, as the fields of a gateway or of its `next`. */
export const fieldsOf = ({ caPem, client }: CertificateGeneration) => ({
  ca_certificate: caPem,
  client_cert: client.chainPem,
  client_key: client.keyPem,
});

/** What a server presents, and whose certificates it accepts. */
export const serverTls = (presents: CertificateGeneration, ...accepts: readonly CertificateGeneration[]) => ({
  cert: presents.server.chainPem,
  key: presents.server.keyPem,
  ca: accepts.map(({ caPem }) => caPem).join(''),
  requireClientCertificate: true,
});

/** A gateway with one mTLS upstream, `up`. */
export interface OverlappingGateway {
  readonly gateway: TestGateway;
  readonly upstream: McpUpstream;
  /** What has to be ended with them, the latest first. */
  put(fields: object): Promise<void>;
  change(what: 'promote' | 'retire' | 'rollback'): Promise<void>;
  view(): Promise<Record<string, unknown>>;
  /** Calls a tool over new connections, and tells which of our certificates it came with. */
  subjectOfNextCall(): Promise<string | undefined>;
  close(): Promise<void>;
}

export async function startOverlap(
  generation: CertificateGeneration,
  options: TestGatewayOptions = {},
): Promise<OverlappingGateway> {
  const upstream = await startMcpUpstream({ tls: serverTls(generation, generation) });
  const gateway = await startGateway(options);
  await gateway.register({ name: 'up', url: upstream.url, ...fieldsOf(generation) });
  const call = async () => {
    const client = await connectClient(`${gateway.url}/servers/up/mcp`, await gateway.token('ann'), 'modern');
    try {
      await client.callTool({ name: 'add', arguments: { a: 1, b: 2 } });
    } finally {
      await client.close();
    }
  };
  return {
    gateway,
    upstream,
    async put(fields) {
      const response = await gateway.api('PUT', '/v1/gateways/up', fields);
      if (!response.ok) throw new Error(`not changed: ${await response.text()}`);
    },
    change: async (what) => void (await gateway.gateway.registry.changes[what](grantUpkeep('test'), 'up')),
    view: async () => (await (await gateway.api('GET', '/v1/gateways/up')).json()) as Record<string, unknown>,
    async subjectOfNextCall() {
      upstream.requests.length = 0;
      await call();
      return upstream.requestsOf('tools/call').at(-1)?.clientSubject;
    },
    async close() {
      await gateway.close();
      await upstream.close();
    },
  };
}
