import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { MintedCertificate } from './pki.ts';
import { freePort } from './free-port.ts';
import { startServerProcess } from './server-process.ts';
import { makeTempFolder } from './temp-folder.ts';

const DEPLOY = resolve(import.meta.dirname, '../../deploy');

/** A proxy that runs from its file in deploy/. */
export interface FrontProxy {
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;
  close(): Promise<void>;
}

export interface FrontProxyOptions {
  /** Where Postern listens. */
  readonly behind: string;
  readonly server: MintedCertificate;
  /** PEM of the authority of callers. */
  readonly callersCa: string;
  /** Texts of the file and what stands there instead; each has to be found. */
  readonly edits?: readonly (readonly [string, string])[];
}

export type StartFrontProxy = (options: FrontProxyOptions) => Promise<FrontProxy>;

/** How one program is started. */
export interface ProxyProgram {
  readonly program: string;
  /** Below deploy/. */
  readonly file: string;
  /** Where its file expects certificates. */
  readonly certs: string;
  /** What has to change for a test. */
  readonly edits: (port: number, folder: string) => readonly (readonly [string, string])[];
  readonly args: (file: string, folder: string) => readonly string[];
  readonly ready: RegExp;
  readonly stop: NodeJS.Signals;
}

/** The settings a file below deploy/ asks for, in its first lines. */
export async function settingsFor(file: string): Promise<Record<string, string>> {
  const text = await readFile(resolve(DEPLOY, file), 'utf8');
  const [, settings = ''] = /^# +((?:[A-Z_]+=\S+ )+)postern serve$/m.exec(text) ?? [];
  return Object.fromEntries(
    settings
      .trim()
      .split(' ')
      .map((setting) => setting.split('=') as [string, string]),
  );
}

/** Starts a program with its file from deploy/, but for ports and paths. */
export async function startFrontProxy(proxy: ProxyProgram, options: FrontProxyOptions): Promise<FrontProxy> {
  const { program, file, certs, args, ready, stop } = proxy;
  const { behind, server, callersCa, edits = [] } = options;
  const [folder, port] = [await makeTempFolder(), await freePort()];
  const write = (name: string, text: string): Promise<void> => writeFile(join(folder.path, name), text);
  try {
    await write('server.crt', server.chainPem);
    await write('server.key', server.keyPem);
    await write('server.pem', server.bundlePem);
    await write('ca.crt', callersCa);
    const deployed = await readFile(resolve(DEPLOY, file), 'utf8');
    const all = [...edits, [certs, folder.path], ['127.0.0.1:4444', new URL(behind).host]] as const;
    const text = [...all, ...proxy.edits(port, folder.path)].reduce(replaced, deployed);
    await write('config', text);
    // Debian keeps daemons where only root looks for programs
    const path = existsSync(`/usr/sbin/${program}`) ? `/usr/sbin/${program}` : program;
    const { PATH } = process.env;
    const env = { PATH, HOME: folder.path, XDG_DATA_HOME: folder.path, XDG_CONFIG_HOME: folder.path };
    const running = await startServerProcess(path, args(join(folder.path, 'config'), folder.path), ready, { env });
    return {
      port,
      close: async () => {
        await running.stop(stop);
        await folder.remove();
      },
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

function replaced(text: string, [what, by]: readonly [string, string]): string {
  if (!text.includes(what)) throw new Error(`there is no ${what} in it`);
  return text.replaceAll(what, () => by);
}
