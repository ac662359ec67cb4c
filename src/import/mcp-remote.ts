/** What a command that only bridges to a remote server says of it. */
export interface RemoteCall {
  readonly url: string;
  /** `Name: value` each, variables and all. */
  readonly headers: readonly string[];
  readonly transport?: 'STREAMABLEHTTP' | 'SSE' | undefined;
  /** Flags that ask for OAuth with a client of their own. */
  readonly oauthFlags: readonly string[];
  /** Flags that have no counterpart here. */
  readonly leftOut: readonly string[];
}

/** How many words follow a program before the package it runs, by the program's name. */
const RUNNERS: Readonly<Record<string, readonly string[]>> = {
  npx: [],
  pnpx: [],
  bunx: [],
  bun: ['x'],
  pnpm: ['dlx'],
  yarn: ['dlx'],
  npm: ['exec', 'x'],
  deno: ['run'],
};
const PACKAGE = /^(?:npm:)?mcp-remote(?:@.*)?$/;
/** Flags of runners with a value of their own; `--package x` names what the last word before the URL runs. */
const RUNNER_VALUES = new Set(['-p', '--package', '--registry', '--cache', '--userconfig']);

const TRANSPORTS: Readonly<Record<string, 'STREAMABLEHTTP' | 'SSE' | undefined>> = {
  'http-only': 'STREAMABLEHTTP',
  'sse-only': 'SSE',
};
const OAUTH_FLAGS = new Set(['--static-oauth-client-metadata', '--static-oauth-client-info']);
const WITH_VALUE = new Set([
  '--host',
  '--resource',
  '--ignore-tool',
  '--auth-timeout',
  '--header-file',
  ...OAUTH_FLAGS,
]);
/** About the bridge itself, or what Postern does anyhow. */
const WITHOUT_MEANING = new Set(['--allow-http', '--debug', '--silent', '--host', '--auth-timeout']);

/**
 * Recognises `npx mcp-remote URL …`, with whatever runs it: the server behind it is reached without it. Undefined for
 * any other command.
 *
 * @see https://www.npmjs.com/package/mcp-remote
 */
export function unwrapMcpRemote(command: string, args: readonly string[]): RemoteCall | undefined {
  const words = argumentsOf(baseName(command), args);
  if (words === undefined) return undefined;
  const headers: string[] = [];
  const flags: string[] = [];
  const positionals: string[] = [];
  let transport: RemoteCall['transport'];
  for (let index = 0; index < words.length; index++) {
    const [, flag = words[index] ?? '', inline] = /^(--[\w-]+)=([^]*)$/.exec(words[index] ?? '') ?? [];
    const value = () => inline ?? words[++index] ?? '';
    if (flag === '--header') headers.push(value());
    else if (flag === '--transport') transport = TRANSPORTS[value()];
    else if (!flag.startsWith('--')) positionals.push(flag);
    else {
      flags.push(flag);
      if (WITH_VALUE.has(flag)) value();
    }
  }
  // a second word is the port its browser login would come back to
  const [url] = positionals;
  if (url === undefined) return undefined;
  return {
    url,
    headers,
    transport,
    oauthFlags: flags.filter((flag) => OAUTH_FLAGS.has(flag)),
    leftOut: flags.filter((flag) => !OAUTH_FLAGS.has(flag) && !WITHOUT_MEANING.has(flag)),
  };
}

/** What follows the package name, or undefined when another package is run. */
function argumentsOf(program: string, args: readonly string[]): readonly string[] | undefined {
  if (program === 'mcp-remote') return args;
  if (program === 'cmd') {
    const [flag = '', command = '', ...rest] = args;
    return /^\/[ck]$/i.test(flag) ? argumentsOf(baseName(command), rest) : undefined;
  }
  const before = Object.hasOwn(RUNNERS, program) ? RUNNERS[program] : undefined;
  if (before === undefined) return undefined;
  const words = before.includes(args[0] ?? '') ? args.slice(1) : args;
  if (before.length > 0 && words === args) return undefined;
  const index = words.findIndex((word, at) => !word.startsWith('-') && !RUNNER_VALUES.has(words[at - 1] ?? ''));
  return PACKAGE.test(words[index] ?? '') ? words.slice(index + 1) : undefined;
}

const baseName = (path: string): string =>
  (/[^\\/]*$/.exec(path)?.[0] ?? '').toLowerCase().replace(/\.(?:cmd|exe|ps1|bat)$/, '');
