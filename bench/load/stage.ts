import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintToken, profiledNode, profilingFlags, startPostern } from '../postern-process.ts';
import type { PosternProcess } from '../postern-process.ts';
import type { Target } from './generator.ts';
import { mintMaterial, type Material } from './material.ts';
import type { RelayMaterial } from './relay.ts';
import { startWorker, type Worker } from './worker.ts';

export type Era = 'legacy' | 'modern';

/** One way to the upstream; `pid` is the process in between, if there is one. */
export interface Subject {
  readonly target: Target;
  readonly pid: number | undefined;
}

/** Everything that runs during the bench, each in its own process. */
export interface Stage {
  readonly direct: Subject;
  readonly floor: Subject;
  readonly postern: Subject;
  readonly upstreamPid: number;
  readonly generator: Worker;
  readonly params: Readonly<Record<string, unknown>>;
  close(): Promise<void>;
}

const HEADERS = {
  legacy: { 'mcp-protocol-version': '2025-11-25' },
  modern: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' },
};
const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'bench', version: '1.0.0' },
};
const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** A gateway of the bench. */
export interface StartedPostern extends PosternProcess {
  /** Of an administrator. */
  readonly token: string;
  /** The fields that give the upstream its identity and trust. */
  readonly tls: Readonly<Record<string, string>>;
}

/** What runs Postern, and the relay it is compared with. */
export interface Platform {
  /** Starts the gateway with everything it keeps in `folder`. */
  startPostern(folder: string, material: Material): Promise<StartedPostern>;
  startRelay(): Worker;
}

/** The command line of the built product, on whatever runs it. */
export const commandLine =
  (command?: readonly string[], env?: Readonly<Record<string, string>>): Platform['startPostern'] =>
  async (folder, { ca, client }) => ({
    ...(await startPostern(folder, command, env)),
    token: await mintToken(folder),
    tls: { ca_certificate: ca, client_cert: client.cert, client_key: client.key },
  });

/** This Node; with a folder, both write CPU profiles into it when they end. */
export function nodePlatform(profileFolder?: string): Platform {
  if (profileFolder === undefined) return { startPostern: commandLine(), startRelay: () => startWorker('relay') };
  mkdirSync(profileFolder, { recursive: true });
  return {
    startPostern: commandLine(profiledNode(profileFolder)),
    startRelay: () => startWorker('relay', profilingFlags(profileFolder)),
  };
}

/** Starts upstream, relay, Postern and generator, and registers the upstream with Postern over REST. */
export async function openStage(era: Era, platform: Platform): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  const material = await mintMaterial();
  const upstream = startWorker('upstream');
  const generator = startWorker('generator');
  const relay = platform.startRelay();
  const postern = await platform.startPostern(folder, material);
  const close = async (): Promise<void> => {
    generator.stop();
    await postern.stop();
    relay.stop();
    await relay.ended;
    upstream.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const served = await upstream.ask<{ port: number }>({ ca: material.ca, ...material.server });
    const origin = `https://127.0.0.1:${served.port}`;
    const asked: RelayMaterial = { origin, ca: material.ca, ...material.client };
    const relayed = await relay.ask<{ port: number }>(asked);
    await register(postern, origin);

    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...HEADERS[era],
    };
    const tls = { ca: material.ca, ...material.client };
    const url = `${postern.url}/servers/bench/mcp`;
    const opening = era === 'legacy' ? { initialize: INITIALIZE } : {};
    const authorized = { ...headers, authorization: `Bearer ${postern.token}` };
    return {
      direct: { target: { name: 'direct', url: `${origin}/mcp`, headers, tls, ...opening }, pid: undefined },
      floor: {
        target: { name: 'floor', url: `http://127.0.0.1:${relayed.port}/mcp`, headers, ...opening },
        pid: relay.pid,
      },
      postern: { target: { name: 'postern', url, headers: authorized, ...opening }, pid: postern.pid },
      upstreamPid: upstream.pid,
      generator,
      params: { name: 'echo', arguments: {}, ...(era === 'modern' && { _meta: ENVELOPE }) },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function register({ url, token, tls }: StartedPostern, upstream: string): Promise<void> {
  const response = await fetch(`${url}/v1/gateways`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ name: 'bench', url: `${upstream}/mcp`, transport: 'STREAMABLEHTTP', ...tls }),
  });
  if (response.status !== 200) throw new Error(`registration: ${response.status} ${await response.text()}`);
}
