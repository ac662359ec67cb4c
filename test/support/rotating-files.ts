/** A gateway whose TLS side is named files, with calls running through it while they change. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bare, openCallers } from './callers.ts';
import { startGateway } from './gateway.ts';
import type { TestGateway, TestGatewayOptions } from './gateway.ts';
import type { McpUpstream } from './mcp-upstream.ts';
import type { MintedCa, MintedCertificate, MintOptions, TestPki } from './pki.ts';
import { startStrictUpstream } from './strict-upstream.ts';
import { makeTempFolder } from './temp-folder.ts';
import { until } from './until.ts';

/** What the files hold, by name. */
export interface FileSet {
  readonly 'client.crt'?: string;
  readonly 'client.key'?: string;
  readonly 'ca.pem'?: string;
}

export interface RotatingFilesOptions extends Pick<TestGatewayOptions, 'wrapPlatform'> {
  /** How many call at the same time; default 8. */
  readonly callers?: number;
  /** Writes the whole set into the folder; in place by default. */
  readonly lay?: (folder: string, files: Readonly<Record<string, string>>) => Promise<void>;
}

export interface RotatingFiles {
  readonly pki: TestPki;
  /** Of both sides, at first. */
  readonly ca: MintedCa;
  readonly upstream: McpUpstream;
  readonly gateway: TestGateway;
  path(name: keyof FileSet): string;
  /** Writes these files, and nothing else. */
  write(files: FileSet): Promise<void>;
  /** A client certificate with its key, by file. */
  issue(cn: string, options?: Partial<MintOptions>): Promise<Required<Pick<FileSet, 'client.crt' | 'client.key'>>>;
  /** Resolves once the gateway shows that it refused what the files hold, and why. */
  refused(code: string): Promise<void>;
  /** Resolves once calls arrive with this certificate and nothing is refused. */
  presenting(cn: string): Promise<void>;
  view(): Promise<GatewayView>;
  /** One handshake of its own, as `postern gateways check` does it. */
  check(): Promise<HandshakeView>;
  /** Resolves once `count` more calls were answered; the certificates they came with. */
  served(count?: number): Promise<readonly (string | undefined)[]>;
  /** Ends the calls; how many there were, what failed, and which arrived twice. */
  ended(): Promise<{
    readonly answered: number;
    readonly failed: readonly string[];
    readonly twice: readonly string[];
  }>;
  readonly close: () => Promise<void>;
}

export interface GatewayView {
  readonly status: string;
  readonly reachable: boolean;
  readonly lastError: string | null;
  readonly health: { readonly status: string };
  readonly tls: {
    readonly clientCertificate: { readonly subject: string };
    readonly authorities: readonly { readonly subject: string }[];
  };
}

export interface HandshakeView {
  readonly ok: boolean;
  readonly presented: { readonly subject: string } | null;
  readonly error: { readonly code: string } | null;
}

const filesOf = ({ chainPem, keyPem }: MintedCertificate) => ({ 'client.crt': chainPem, 'client.key': keyPem });

/** Writes in place, and so that nothing else of this process happens between two files. */
async function writeInPlace(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

/** Starts one that presents `first`, with calls under way; close it. */
export async function startRotatingFiles({
  callers: count = 8,
  lay = writeInPlace,
  wrapPlatform = (platform) => platform,
}: RotatingFilesOptions = {}): Promise<RotatingFiles> {
  const folder = await makeTempFolder();
  const { pki, ca, upstream } = await startStrictUpstream();
  const gateway = await startGateway({ settings: { POSTERN_CERT_DIRS: folder.path }, wrapPlatform });
  const path = (name: keyof FileSet) => join(folder.path, name);
  const issue: RotatingFiles['issue'] = async (cn, options) =>
    filesOf(await ca.issue({ cn, eku: 'client', ...options }));
  await lay(folder.path, { ...(await issue('first')), 'ca.pem': ca.pem });
  await gateway.register({
    name: 'up',
    url: upstream.url,
    ca_certificate: path('ca.pem'),
    client_cert: path('client.crt'),
    client_key: path('client.key'),
  });

  const callers = openCallers(gateway.url, await gateway.token('ann'), count);
  const failed: string[] = [];
  let answered = 0;
  const ending = new AbortController();
  const calls = Array.from({ length: count }, async (_, caller) => {
    for (let number = 0; !ending.signal.aborted; number++) {
      const text = `${caller}-${number}`;
      const answer = await callers.call(bare('/servers/up/mcp', 'echo'), text).catch(String);
      if (answer === text) answered++;
      else failed.push(answer);
    }
  });
  const arrived = () => upstream.requestsOf('tools/call');
  const json = async (method: string, address: string) => (await gateway.api(method, address)).json();
  const view = async () => (await json('GET', '/v1/gateways/up')) as GatewayView;

  const files: RotatingFiles = {
    pki,
    ca,
    upstream,
    gateway,
    path,
    issue,
    view,
    write: (set) => lay(folder.path, { ...set }),
    refused: (code) => until(async () => (await view()).lastError?.startsWith(`${code}:`) === true),
    presenting: (cn) => until(async () => arrived().at(-1)?.clientSubject === cn && (await view()).status === 'active'),
    check: async () => (await json('POST', '/v1/gateways/up/check')) as HandshakeView,
    async served(more = 50) {
      const [before, first] = [answered, arrived().length];
      await until(() => answered >= before + more);
      return [
        ...new Set(
          arrived()
            .slice(first)
            .map(({ clientSubject }) => clientSubject),
        ),
      ];
    },
    async ended() {
      ending.abort();
      await Promise.all(calls);
      const texts = new Set<string>();
      const twice: string[] = [];
      for (const { params } of arrived()) {
        const { text = '' } = (params?.['arguments'] ?? {}) as { text?: string };
        if (texts.has(text)) twice.push(text);
        texts.add(text);
      }
      return { answered, failed, twice };
    },
    async close() {
      await files.ended();
      await callers.close();
      await gateway.close();
      await upstream.close();
      await folder.remove();
    },
  };
  await files.served(1);
  return files;
}
