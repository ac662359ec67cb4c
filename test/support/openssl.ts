import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MintedCertificate } from './pki.ts';
import { startServerProcess } from './server-process.ts';
import { makeTempFolder } from './temp-folder.ts';

export interface OpensslServerOptions {
  readonly server: MintedCertificate;
  /** PEM anchors of client certificates, which are demanded. */
  readonly ca: string;
  readonly version: 'TLSv1.2' | 'TLSv1.3';
  /** PEM; every client certificate is looked up in it. */
  readonly crl?: string;
  /** What the server takes for the present. */
  readonly now?: Date;
}

export interface OpensslServer {
  readonly port: number;
  close(): Promise<void>;
}

const LISTENING = /^ACCEPT \S+:(\d+)$/m;

/**
 * `openssl s_server`: a server that says why it refuses a client certificate, by alert, as most of the world does.
 * (Node's own hangs up without a word.) It speaks no HTTP: whoever it lets in gets
 * each line back, reversed.
 */
export async function startOpensslServer(options: OpensslServerOptions): Promise<OpensslServer> {
  const { server, ca, version, crl, now } = options;
  const folder = await makeTempFolder();
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder.path, name), text, { mode: 0o600 });
    return join(folder.path, name);
  };
  const args = ['s_server', '-accept', '127.0.0.1:0', '-rev', version === 'TLSv1.3' ? '-tls1_3' : '-tls1_2'];
  args.push('-cert', await file('server.pem', server.chainPem), '-key', await file('server.key', server.keyPem));
  args.push('-CAfile', await file('ca.pem', ca), '-Verify', '4', '-verify_return_error');
  if (crl !== undefined) args.push('-crl_check', '-CRL', await file('crl.pem', crl));
  if (now !== undefined) args.push('-attime', String(Math.floor(now.getTime() / 1000)));
  const child = await startServerProcess('openssl', args, LISTENING);
  return {
    port: Number(LISTENING.exec(child.output)?.[1]),
    close: async () => {
      await child.stop('SIGKILL');
      await folder.remove();
    },
  };
}
