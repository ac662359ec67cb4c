import { createEventHub, createLog, toGatewayError } from '../../../src/index.ts';
import type { EventSink } from '../../../src/index.ts';
import { Burst } from '../burst.ts';
import { systemClock } from '../clock.ts';
import { startServer } from '../server.ts';
import type { RunningServer } from '../server.ts';
import { parseArguments, refusePositionals } from './arguments.ts';
import type { CliIo } from './io.ts';
import { loadConfig, settingFlags, settingHelp } from './settings.ts';

const HELP = `Usage: postern serve [flags]

Starts the gateway. Prints one line of JSON on standard output once it takes calls; logs go to standard error.
Certificate files are watched, and what other instances change is taken over, without losing a call. SIGHUP has every
instance read everything again, SIGTERM lets calls finish and ends, a second SIGTERM ends at once.

Flags, over environment variables [in brackets], over postern.yaml (the same names in lower case, without POSTERN_):
`;

/** SIGHUPs that follow each other closely are one; under a storm of them there still is a reload now and then. */
const RELOAD_PAUSES = { quietMs: 50, limitMs: 250 };

/** `postern serve`: runs until a signal ends it. */
export async function serveCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const parsed = parseArguments(argv, settingFlags());
  refusePositionals(parsed);
  if (parsed.flags['help']) {
    io.out(HELP + settingHelp());
    return 0;
  }
  const { values, warnings } = await loadConfig(parsed, io);
  const log = createLog({
    write: (line) => process.stderr.write(line),
    level: values.logLevel,
    pretty: process.stderr.isTTY && !parsed.flags['json'],
    clock: systemClock,
  });
  const events = createEventHub(log);
  for (const warning of warnings) events('config.warned', warning);
  takeOverConsole(events);
  process.on('unhandledRejection', (reason) =>
    events('task.failed', { task: 'background', message: toGatewayError(reason).message }),
  );

  const signals = listenForSignals();
  const server = await startServer(io.runtime, values, events);
  io.out(JSON.stringify({ event: 'ready', url: server.url, health: server.health }));
  await untilStopped(signals, server);
  return 0;
}

/**
 * Turns what libraries print into events: @hono/node-server 2.1.8 prints the error when a streamed answer breaks, and
 * standard output and error have a format that others parse (serve-first-start-and-stop.test.ts fails without this).
 */
function takeOverConsole(events: EventSink): void {
  const report = (printed: unknown): void => {
    const message = printed instanceof Error ? toGatewayError(printed).message : typeof printed;
    events('library.printed', { message });
  };
  for (const method of ['debug', 'error', 'info', 'log', 'warn'] as const) console[method] = report;
}

interface Signals {
  /** The first SIGTERM or SIGINT. */
  readonly stop: Promise<NodeJS.Signals>;
  onReload: () => void;
}

/** Takes signals from now on: a SIGHUP that comes too early must not end the process. */
function listenForSignals(): Signals {
  const { promise: stop, resolve } = Promise.withResolvers<NodeJS.Signals>();
  const signals: Signals = { stop, onReload: () => undefined };
  process.on('SIGHUP', () => signals.onReload());
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    let wasSent = false;
    process.on(name, () => {
      // a second listener would do, but Deno 2.9.6 calls one that is added in the first for the same signal
      if (wasSent) process.exit(1);
      wasSent = true;
      resolve(name);
    });
  }
  return signals;
}

async function untilStopped(signals: Signals, server: RunningServer): Promise<void> {
  // each reload has the whole fleet read everything again
  const burst = new Burst({ clock: systemClock, ...RELOAD_PAUSES, onEnd: () => void server.reload() });
  signals.onReload = () => burst.signal();
  await server.stop(await signals.stop);
  burst.cancel();
}
