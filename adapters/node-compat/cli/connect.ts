import { parseArguments, onlyPositional, textFlag, UsageError } from './arguments.ts';
import type { Arguments } from './arguments.ts';
import { bridge } from './connect/bridge.ts';
import { openRemote } from './connect/remote.ts';
import type { RemoteOptions } from './connect/remote.ts';
import { systemClock } from '../clock.ts';
import type { CliIo } from './io.ts';

const HELP = `Usage: postern connect URL [flags]

Speaks MCP on standard input and output, as desktop clients want it, and Streamable HTTP to a gateway or any other MCP
server, in both eras. Standard output carries messages and nothing else. Ends with standard input, once what was asked
is answered.

  URL                  the address; without a path, /mcp
  --token TOKEN        bearer token; others may see a command line, so rather [POSTERN_TOKEN]
  --token-file FILE    a file that holds it, read again for every request
  --ca FILE            CA certificates (PEM) to trust, and no others
  --cert FILE          client certificate (PEM, leaf first), for mutual TLS
  --key FILE           its private key (PEM); a password by environment only [POSTERN_CLIENT_KEY_PASSWORD]

Exit codes: 0 the client ended it, 1 the server cannot be reached or refuses, 2 the command line makes no sense.`;

const FLAGS = {
  token: { type: 'string' },
  'token-file': { type: 'string' },
  ca: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
} as const;

/** `postern connect`: a stdio MCP server that is a gateway elsewhere. */
export async function connectCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const parsed = parseArguments(argv, FLAGS);
  if (parsed.flags['help']) {
    io.out(HELP);
    return 0;
  }
  const remote = await openRemote(remoteOptions(parsed, io));
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
  try {
    const refusal = await bridge({
      input: process.stdin,
      output: process.stdout,
      send: remote.send,
      clock: systemClock,
      stop: stop.signal,
      log: ({ code, message }) => io.err(`postern connect: ${message} (${code})`),
    });
    if (refusal) throw refusal;
    return 0;
  } finally {
    await remote.close();
  }
}

function remoteOptions(parsed: Arguments, { env, cwd, runtime }: CliIo): RemoteOptions {
  const url = endpointOf(onlyPositional(parsed, 'the URL of a gateway'));
  const { token, tokenFile, ca, cert, key } = {
    token: textFlag(parsed, 'token'),
    tokenFile: textFlag(parsed, 'token-file'),
    ca: textFlag(parsed, 'ca'),
    cert: textFlag(parsed, 'cert'),
    key: textFlag(parsed, 'key'),
  };
  if (token !== undefined && tokenFile !== undefined)
    throw new UsageError('expected --token or --token-file, met both');
  if (key !== undefined && cert === undefined) throw new UsageError('expected --cert beside --key');
  if (url.protocol === 'http:' && (ca ?? cert) !== undefined)
    throw new UsageError('expected an https: URL beside --ca and --cert');
  return {
    runtime,
    url,
    cwd,
    // the flag wins over the environment, whichever of the two it is
    token: token ?? (tokenFile === undefined ? env['POSTERN_TOKEN'] || undefined : undefined),
    tokenFile,
    ca,
    cert,
    key,
    keyPassword: env['POSTERN_CLIENT_KEY_PASSWORD'] || undefined,
  };
}

/** @throws UsageError */
function endpointOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new UsageError('expected a URL that begins with http:// or https://');
  if (url.username !== '' || url.password !== '')
    throw new UsageError('expected a URL without a user name; credentials go into --token');
  if (url.pathname === '/') url.pathname = '/mcp';
  return url;
}
