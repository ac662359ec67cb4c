/**
 * Postern where somebody else listens: `deno serve` and Deno Deploy. The first request starts the gateway. Settings come from
 * the environment; nothing is read from or written to files, so keys and store must be named there.
 */
import {
  createEventHub,
  createGateway,
  createLog,
  parseConfig,
  refuseUnsupported,
  requireGiven,
  toGatewayError,
} from '../../src/index.ts';
import type { EventHub, Gateway, SettingsHost, SettingValues } from '../../src/index.ts';
import { systemClock } from '../node-compat/clock.ts';
import { createPlatform } from '../node-compat/platform.ts';
import { DENO } from './runtime.ts';

/** Where the platform listens is not ours to know, and by default it is everywhere; so HOST does not count. */
const HOST = '0.0.0.0';

const DENO_SERVE: SettingsHost = {
  name: 'deno serve',
  // Deno tells nothing of who is at the other end
  unsupported: { clientAuth: 'requestCertificate' },
  source: 'in the environment',
  hint: '`postern vault key` prints fresh keys; `deno-kv:` is the store of the platform',
};

let starting: Promise<Gateway> | undefined;

const eventsOf = (level: SettingValues['logLevel']): EventHub =>
  createEventHub(createLog({ write: (line) => process.stderr.write(line), level, pretty: false, clock: systemClock }));

async function start(): Promise<Gateway> {
  let events = eventsOf('info');
  try {
    refuseUnsupported(process.env, DENO_SERVE);
    const { values, warnings } = parseConfig({ environment: { ...process.env, HOST } });
    events = eventsOf(values.logLevel);
    for (const warning of warnings) events('config.warned', warning);
    const config = requireGiven(values, DENO_SERVE);
    // nothing is kept in files here
    const platform = { ...(await createPlatform(DENO, config, events)), growingFile: undefined };
    const gateway = await createGateway(config, platform);
    gateway.beginUpkeep();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(gateway, config));
    return gateway;
  } catch (error) {
    const { code, message, hint = '' } = toGatewayError(error);
    events('task.failed', { task: 'start', message: `${code}: ${message}; ${hint}` });
    throw error;
  }
}

/** Deno stops listening and lets requests finish; what is open to stores and servers would keep the process after that. */
async function stop(gateway: Gateway, { drainTimeoutSeconds }: SettingValues): Promise<void> {
  gateway.beginDrain();
  await gateway.close(drainTimeoutSeconds * 1000);
}

async function fetch(request: Request): Promise<Response> {
  let gateway: Gateway;
  try {
    gateway = await (starting ??= start());
  } catch (error) {
    // the next request tries again: a store may be back by then
    starting = undefined;
    return notStarted(toGatewayError(error).code);
  }
  return gateway.fetch(request);
}

/** Why is in the log: whoever asks need not be the operator. */
function notStarted(code: string): Response {
  const problem = {
    type: 'about:blank',
    title: 'the gateway could not start',
    status: 503,
    code,
    message: 'see the log',
  };
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  return Response.json(problem, { status: 503, headers });
}

export default { fetch };
