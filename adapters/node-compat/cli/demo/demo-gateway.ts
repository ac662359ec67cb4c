import { execFile, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** A registered gateway or a refusal, as REST answers. */
export interface Answer {
  readonly status: number;
  readonly body: {
    readonly id?: string;
    readonly slug?: string;
    readonly code?: string;
    readonly message?: string;
    readonly hint?: string;
  };
}

export interface DemoGateway {
  readonly url: string;
  readonly token: string;
  readonly readyMs: number;
  /** One request to the REST API as an administrator. */
  rest(method: 'POST' | 'PUT', path: string, body: object): Promise<Answer>;
  /** The last lines of its log, for when something went wrong. */
  lastLog(): string;
  /** Lets it drain and waits for its end; resolves with the exit code. */
  stop(): Promise<number | null>;
}

const MAIN = resolve(import.meta.dirname, `../../../node/main${import.meta.filename.slice(-3)}`);
const START_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 15_000;
const LOG_LINES = 20;

/** Starts `postern serve` as its own process on a free port, with everything it keeps in `folder`. */
export async function startDemoGateway(folder: string, path: string): Promise<DemoGateway> {
  // none of the caller's settings: the demo must not open somebody's real database
  const options = { cwd: folder, env: { PATH: path } };
  const data = ['--data-dir', join(folder, 'data')];
  const startedMs = performance.now();
  const child = spawn(process.execPath, [MAIN, 'serve', '--port', '0', ...data], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.splice(0, log.push(line) - LOG_LINES));
  const exited = new Promise<number | null>((done) => child.once('exit', done));
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    return exited.finally(() => clearTimeout(timer));
  };
  const lastLog = (): string => log.join('\n');

  try {
    const url = await readyUrl(child.stdout);
    const readyMs = performance.now() - startedMs;
    const tokenCommand = [MAIN, 'token', '--sub', 'demo', '--role', 'admin', ...data];
    const token = (await promisify(execFile)(process.execPath, tokenCommand, options)).stdout.trim();
    const rest: DemoGateway['rest'] = async (method, path, body) => {
      const request: RequestInit = {
        method,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      };
      const response = await fetch(url + path, request);
      return { status: response.status, body: (await response.json()) as Answer['body'] };
    };
    return { url, token, readyMs, rest, lastLog, stop };
  } catch (error) {
    await stop();
    throw new Error(`the gateway did not start:\n${lastLog()}`, { cause: error });
  }
}

async function readyUrl(output: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface({ input: output });
  const timer = setTimeout(() => lines.close(), START_TIMEOUT_MS);
  try {
    for await (const line of lines) {
      const message = JSON.parse(line) as { event?: string; url?: string };
      if (message.event === 'ready' && message.url) return message.url;
    }
  } finally {
    clearTimeout(timer);
  }
  throw new Error('no ready line');
}
