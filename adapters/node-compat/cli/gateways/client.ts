import {
  ERRORS,
  GatewayError,
  createEventHub,
  createGateway,
  importTokenKey,
  mintToken,
  toGatewayError,
} from '../../../../src/index.ts';
import { systemClock } from '../../clock.ts';
import { completeConfig, hasPid } from '../../data-dir/data-dir.ts';
import { generateSigningKey } from '../../data-dir/signing-key-file.ts';
import { createPlatform } from '../../platform.ts';
import { textFlag } from '../arguments.ts';
import type { Arguments } from '../arguments.ts';
import type { CliIo } from '../io.ts';
import { loadConfig } from '../settings.ts';
import { warningsTo } from '../warnings.ts';

/** A gateway's REST API, over the network or over the local data directory. */
export interface ApiClient {
  /**
   * The parsed answer; undefined when there is none.
   *
   * @throws GatewayError with the code the gateway answered
   */
  send(method: string, path: string, body?: object): Promise<unknown>;
  /** Ends it; `changed` when something was written. */
  close(changed: boolean): Promise<void>;
}

const TIMEOUT_MS = 120_000;
const LOCAL_TOKEN_SECONDS = 300;

/**
 * The gateway at --url (POSTERN_URL), else the data directory itself: the same code that answers over the network,
 * without a listener.
 *
 * @throws GatewayError
 */
export async function openClient(parsed: Arguments, io: CliIo): Promise<ApiClient> {
  const url = textFlag(parsed, 'url') ?? io.env['POSTERN_URL'];
  return url ? remoteClient(url, textFlag(parsed, 'token') ?? io.env['POSTERN_TOKEN']) : localClient(parsed, io);
}

function remoteClient(url: string, token: string | undefined): ApiClient {
  if (!URL.canParse(url)) throw new GatewayError('config_invalid', 'expected a URL as --url, met something else');
  const base = url.replace(/\/+$/, '');
  const send: ApiClient['send'] = async (method, path, body) => {
    const request = requestOf(base, method, path, token, body);
    return answerOf(
      await fetch(request, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((error) => unreachable(base, error)),
    );
  };
  return { send, close: () => Promise.resolve() };
}

async function localClient(parsed: Arguments, io: CliIo): Promise<ApiClient> {
  const { values } = await loadConfig(parsed, io);
  const events = createEventHub(warningsTo(io));
  // nobody but this process calls it: its tokens are signed with a key of its own, whatever signs those of others
  const own = { jwtAlgorithm: 'HS256', jwtSecretKey: generateSigningKey(), trustedIssuers: [] } as const;
  // a file of audit has one writer; gateways that run record what they notice
  const config = { ...(await completeConfig({ ...values, audit: undefined }, events)), ...own };
  const platform = await createPlatform(io.runtime, config, events);
  const gateway = await createGateway(config, platform, { isPolicyIgnored: true });
  const caller = { subject: 'local', role: 'admin', ttlSeconds: LOCAL_TOKEN_SECONDS } as const;
  const token = await mintToken(caller, await importTokenKey(config), systemClock);
  return {
    send: async (method, path, body) =>
      answerOf(await gateway.fetch(requestOf('http://localhost', method, path, token, body))),
    close: async (changed) => {
      await gateway.close(0);
      if (changed && (await hasPid(config.dataDir)))
        io.err(`a gateway that runs over ${config.dataDir} takes this over by itself within seconds`);
    },
  };
}

function requestOf(base: string, method: string, path: string, token: string | undefined, body?: object): Request {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  return new Request(base + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
}

async function answerOf(response: Response): Promise<unknown> {
  const text = await response.text();
  const answer = parseJson(text);
  if (response.ok) return answer;
  const { code, message, hint, details } = (answer ?? {}) as Partial<GatewayError>;
  if (code === undefined || !Object.hasOwn(ERRORS, code))
    throw new GatewayError(
      'upstream_protocol',
      `expected a Postern gateway, met an answer with status ${response.status}`,
    );
  throw new GatewayError(code, message ?? code, { ...(hint && { hint }), ...(details && { details }) });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(base: string, error: unknown): never {
  const { code = 'no answer' } = (error as { cause?: NodeJS.ErrnoException }).cause ?? {};
  throw new GatewayError('tcp_unreachable', `no gateway answers at ${base} (${code})`, {
    hint: 'is it running? a private CA for https goes into NODE_EXTRA_CA_CERTS',
    cause: toGatewayError(error),
  });
}
