import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintToken, profilingFlags, startPostern } from '../postern-process.ts';
import type { Target } from './generator.ts';
import { mintMaterial, type Material } from './material.ts';
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

/** Starts upstream, relay, Postern and generator, and registers the upstream with Postern over REST. */
export async function openStage(era: Era, profileFolder: string | undefined): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  if (profileFolder) mkdirSync(profileFolder, { recursive: true });
  const material = await mintMaterial();
  const upstream = startWorker('upstream');
  const generator = startWorker('generator');
  const relay = startWorker('relay', profileFolder ? profilingFlags(profileFolder) : []);
  const postern = await startPostern(folder, profileFolder);
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
    const relayed = await relay.ask<{ port: number }>({ origin, ca: material.ca, ...material.client });
    const token = await mintToken(folder);
    await register(postern.url, token, origin, material);

    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...HEADERS[era],
    };
    const tls = { ca: material.ca, ...material.client };
    const url = `${postern.url}/servers/bench/mcp`;
    const opening = era === 'legacy' ? { initialize: INITIALIZE } : {};
    const authorized = { ...headers, authorization: `Bearer ${token}` };
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

async function register(url: string, token: string, upstream: string, material: Material): Promise<void> {
  const response = await fetch(`${url}/v1/gateways`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({
      name: 'bench',
      url: `${upstream}/mcp`,
      transport: 'STREAMABLEHTTP',
      ca_certificate: material.ca,
      client_cert: material.client.cert,
      client_key: material.client.key,
    }),
  });
  if (response.status !== 200) throw new Error(`registration: ${response.status} ${await response.text()}`);
}
