import { resolve } from 'node:path';
import { Secret, openProfile } from '../../../../src/index.ts';
import type { Dialer, PipeSend, TlsProfile } from '../../../../src/index.ts';
import { openKey } from '../../open-key.ts';
import { systemClock } from '../../clock.ts';
import { createDialer } from '../../dialer/dialer.ts';
import type { Runtime } from '../../runtime.ts';
import { readTextFile } from '../../files/file-reader.ts';

/** Where to connect, and as whom; files relative to `cwd`. */
export interface RemoteOptions {
  readonly runtime: Runtime;
  readonly url: URL;
  readonly cwd: string;
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly keyPassword: string | undefined;
}

/** An MCP server elsewhere. */
export interface Remote {
  readonly send: PipeSend;
  close(): Promise<void>;
}

/**
 * The way to an MCP server, over the dialer upstreams are reached by. Connects on first use.
 *
 * @throws GatewayError file_refused and the codes of certificates and keys
 */
export async function openRemote(options: RemoteOptions): Promise<Remote> {
  const { url, runtime } = options;
  const dialer = createDialer(runtime, { events: () => undefined, clock: systemClock, contextCache: { maxIdle: 1 } });
  const profile = url.protocol === 'https:' ? await readProfile(options, dialer) : undefined;
  await readToken(options);
  const channel = await dialer.open(profile, url.origin);
  return {
    send: async ({ method, headers, body, signal }) => {
      const token = await readToken(options);
      return channel.send({
        method,
        path: url.pathname + url.search,
        headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
        body,
        signal,
        // the stream a server speaks on unasked may send its headers with its first event
        ...(method === 'GET' && { headersTimeoutMs: 0 }),
      });
    },
    close: async () => {
      await channel.drain(0);
      await dialer.close();
    },
  };
}

/** A token file is read each time: tokens expire, and whoever renews one writes it there. */
async function readToken({ token, tokenFile, cwd }: RemoteOptions): Promise<string | undefined> {
  return tokenFile === undefined ? token : (await readTextFile(resolve(cwd, tokenFile))).trim();
}

async function readProfile(options: RemoteOptions, { capabilities }: Dialer): Promise<TlsProfile> {
  const read = async (path: string | undefined) =>
    path === undefined ? undefined : readTextFile(resolve(options.cwd, path));
  const [caCertificate, clientCertificate, key] = await Promise.all([options.ca, options.cert, options.key].map(read));
  const { keyPassword } = options;
  const material = {
    caCertificate,
    clientCertificate,
    // one file may hold both
    clientKey: clientCertificate === undefined ? undefined : new Secret(key ?? clientCertificate),
    clientKeyPassword:
      keyPassword === undefined || clientCertificate === undefined ? undefined : new Secret(keyPassword),
  };
  return openProfile(material, { openKey, nowMs: systemClock.nowMs(), capabilities, allowInsecureTls: false });
}
