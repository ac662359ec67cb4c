import { PRODUCT, nearest, toGatewayError } from '../../../src/index.ts';
import { UsageError } from './arguments.ts';
import type { Runtime } from '../runtime.ts';
import type { CliIo, Command } from './io.ts';

interface CommandRow {
  readonly summary: string;
  /** Imports only what the command needs: a command line should answer at once. */
  readonly load: () => Promise<Command>;
}

const COMMANDS: Readonly<Record<string, CommandRow>> = {
  serve: {
    summary: 'start the gateway',
    load: async () => (await import('./serve.ts')).serveCommand,
  },
  token: {
    summary: 'print a bearer token',
    load: async () => (await import('./token.ts')).tokenCommand,
  },
  tokens: {
    summary: 'make tokens that are scoped and kept as hashes, and take tokens back',
    load: async () => (await import('./tokens/tokens.ts')).tokensCommand,
  },
  gateways: {
    summary: 'register and look after upstream MCP servers',
    load: async () => (await import('./gateways/gateways.ts')).gatewaysCommand,
  },
  servers: {
    summary: 'make virtual servers out of them',
    load: async () => (await import('./servers/servers.ts')).serversCommand,
  },
  policy: {
    summary: 'say who may do what, and ask why',
    load: async () => (await import('./policy/policy.ts')).policyCommand,
  },
  rotate: {
    summary: 'have every instance read certificates and records again, without losing a call',
    load: async () => (await import('./rotate.ts')).rotateCommand,
  },
  connect: {
    summary: 'be the stdio server of a desktop client, in front of a gateway elsewhere',
    load: async () => (await import('./connect.ts')).connectCommand,
  },
  import: {
    summary: 'register what other programs know of MCP servers',
    load: async () => (await import('./import/import.ts')).importCommand,
  },
  export: {
    summary: 'print what is registered, without secrets',
    load: async () => (await import('./import/export.ts')).exportCommand,
  },
  certs: {
    summary: 'make and check certificates for mutual TLS',
    load: async () => (await import('./certs/certs.ts')).certsCommand,
  },
  vault: {
    summary: 'make and rotate the keys secrets are sealed with',
    load: async () => (await import('./vault.ts')).vaultCommand,
  },
  audit: {
    summary: 'verify: say whether a trail of audit is whole',
    load: async () => (await import('./audit.ts')).auditCommand,
  },
  config: {
    summary: 'check: show the effective settings and what is wrong with them',
    load: async () => (await import('./config.ts')).configCommand,
  },
  demo: {
    summary: 'from a checkout: a strict mTLS server called through the gateway',
    load: async () => (await import('./demo.ts')).demoCommand,
  },
};

function help(): string {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`);
  return `Usage: postern COMMAND [flags]

${lines.join('\n')}

\`postern COMMAND --help\` tells more. --json makes whatever prints print JSON. Version ${PRODUCT.version}.`;
}

async function runCommand([name, ...argv]: readonly string[], io: CliIo): Promise<number> {
  if (name === '--version') return say(io, PRODUCT.version);
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    io.out(help());
    return name === undefined ? 2 : 0;
  }
  const row = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (row === undefined) {
    io.err(`postern: unknown command ${name}; the nearest is ${nearest(name, Object.keys(COMMANDS))}`);
    return 2;
  }
  try {
    return await (
      await row.load()
    )(argv, io);
  } catch (error) {
    return fail(error, name, argv, io);
  }
}

function say(io: CliIo, line: string): number {
  io.out(line);
  return 0;
}

function fail(thrown: unknown, name: string, argv: readonly string[], io: CliIo): number {
  if (thrown instanceof UsageError) {
    io.err(`postern ${name}: ${thrown.message}`);
    io.err(`\`postern ${name} --help\` tells what can be said`);
    return 2;
  }
  const { code, message, hint, details, cause } = toGatewayError(thrown);
  if (argv.includes('--json')) io.err(JSON.stringify({ error: { code, message, hint, details } }));
  else {
    io.err(`postern ${name}: ${message} (${code})`);
    if (hint !== undefined) io.err(`  ${hint}`);
  }
  if (code === 'internal' && cause instanceof Error) io.err(cause.stack ?? cause.message);
  return 1;
}

/** Runs the command the process was started with, and ends the process. */
export async function runCli(runtime: Runtime): Promise<never> {
  const io: CliIo = {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    env: process.env,
    cwd: process.cwd(),
    runtime,
  };
  // a reader that went away (`| head`, a log collector that restarts) must not end what runs
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const exitCode = await runCommand(process.argv.slice(2), io);
  await Promise.all([process.stdout, process.stderr].map(flushed));
  // what a command leaves open, a pooled connection say, must not keep the process
  return process.exit(exitCode);
}

/** Resolves once everything written so far has left the process, or cannot. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => void stream.write('', () => resolve()));
}
