import { GatewayError } from '../../../src/index.ts';
import { onlyPositional, parseArguments, refusePositionals, UsageError } from './arguments.ts';
import type { Arguments, Flags } from './arguments.ts';
import { openClient } from './gateways/client.ts';
import type { ApiClient } from './gateways/client.ts';
import { printFields } from './gateways/print.ts';
import type { CliIo } from './io.ts';
import { settingFlags } from './settings.ts';

/** How to say which gateway a command speaks to. */
export const CLIENT_HELP = `Which gateway to speak to; without --url, the local data directory itself:
  --url URL            a running gateway [POSTERN_URL]
  --token TOKEN        an admin's token [POSTERN_TOKEN]
  --data-dir DIR, --storage URL, --config FILE, --cert-dir DIR, --stdio-command CMD as for serve`;

const LOCAL_FLAGS = settingFlags(['dataDir', 'storage', 'configFile', 'certDirs', 'stdioCommands']);
const CLIENT_FLAGS = { ...LOCAL_FLAGS, url: { type: 'string' }, token: { type: 'string' } } as const satisfies Flags;

/** A command that speaks to a gateway: what follows `postern gateways` or `postern servers`, for one. */
export interface Subcommand {
  readonly flags: Flags;
  /** True when it changes what is stored. */
  readonly writes: boolean;
  run(client: ApiClient, parsed: Arguments, io: CliIo): Promise<number>;
}

/** One that only looks. */
export const read = (run: Subcommand['run']): Subcommand => ({ flags: {}, writes: false, run });
/** One that changes what is stored. */
export const write = (run: Subcommand['run'], flags: Flags = {}): Subcommand => ({ flags, writes: true, run });

/** Runs the subcommand that is named first, over a client of its own. */
export async function runSubcommand(
  subcommands: Readonly<Record<string, Subcommand>>,
  help: string,
  [name, ...argv]: readonly string[],
  io: CliIo,
): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h') {
    io.out(help);
    return name === undefined ? 2 : 0;
  }
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (subcommand === undefined)
    throw new UsageError(`expected one of ${Object.keys(subcommands).join(', ')}, met ${name}`);
  return runOverClient(subcommand, help, argv, io);
}

/** Runs a command over a client of its own. */
export async function runOverClient(
  command: Subcommand,
  help: string,
  argv: readonly string[],
  io: CliIo,
): Promise<number> {
  const parsed = parseArguments(argv, { ...CLIENT_FLAGS, ...command.flags });
  if (parsed.flags['help']) {
    io.out(help);
    return 0;
  }
  const client = await openClient(parsed, io);
  try {
    return await command.run(client, parsed, io);
  } finally {
    await client.close(command.writes);
  }
}

/** What every collection tells of each of its items. */
export interface Listed {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly [field: string]: unknown;
}

/** What lies below one address of the REST API. */
export class Collection {
  /** `/v1/…`. */
  readonly path: string;
  readonly #what: string;
  readonly #print: (items: readonly Listed[], io: CliIo) => void;

  /** @param what one of them, in words; the command is its plural */
  constructor(path: string, what: string, print: (items: readonly Listed[], io: CliIo) => void) {
    this.path = path;
    this.#what = what;
    this.#print = print;
  }

  /** The subcommands every collection has: looking, removing, in and out of service. */
  get subcommands(): Readonly<Record<'list' | 'show' | 'remove' | 'activate' | 'deactivate', Subcommand>> {
    return {
      list: read(async (client, parsed, io) => {
        refusePositionals(parsed);
        const items = await this.#list(client);
        if (parsed.flags['json']) io.out(JSON.stringify(items));
        else this.#print(items, io);
        return 0;
      }),
      show: read(async (client, parsed, io) => say(await this.#positional(client, parsed), parsed, io)),
      remove: write(async (client, parsed, io) => {
        const answer = await client.send('DELETE', await this.pathOf(client, parsed));
        return say(answer ?? { removed: onlyPositional(parsed, this.#what) }, parsed, io);
      }),
      activate: write((client, parsed, io) => this.#setActive(client, parsed, io, true)),
      deactivate: write((client, parsed, io) => this.#setActive(client, parsed, io, false)),
    };
  }

  /** The address of the one that is named. @throws GatewayError not_found, UsageError */
  async pathOf(client: ApiClient, parsed: Arguments): Promise<string> {
    return `${this.path}/${encodeURIComponent((await this.#positional(client, parsed)).id)}`;
  }

  /** The one with this id, slug or name. @throws GatewayError not_found */
  async find(client: ApiClient, wanted: string): Promise<Listed> {
    const all = await this.#list(client);
    const found = (['id', 'slug', 'name'] as const)
      .map((key) => all.find((item) => item[key] === wanted))
      .find(Boolean);
    if (found !== undefined) return found;
    throw new GatewayError('not_found', `no ${this.#what} has the id, slug or name ${wanted}`, {
      hint: `\`postern ${this.#what}s list\` shows them`,
    });
  }

  async #list(client: ApiClient): Promise<readonly Listed[]> {
    return (await client.send('GET', `${this.path}?include_inactive=true`)) as readonly Listed[];
  }

  #positional(client: ApiClient, parsed: Arguments): Promise<Listed> {
    return this.find(client, onlyPositional(parsed, `the id, slug or name of a ${this.#what}`));
  }

  async #setActive(client: ApiClient, parsed: Arguments, io: CliIo, active: boolean): Promise<number> {
    return say(await client.send('POST', `${await this.pathOf(client, parsed)}/state?activate=${active}`), parsed, io);
  }
}

/** Prints an answer, as JSON where that is asked for. */
export function say(answer: unknown, { flags }: Arguments, io: CliIo): number {
  if (flags['json']) io.out(JSON.stringify(answer));
  else printFields(answer as Readonly<Record<string, unknown>>, io);
  return 0;
}
