import { resolve } from 'node:path';
import { parse as parseYaml, stringify } from 'yaml';
import { GatewayError } from '../../../../src/index.ts';
import { readTextFile } from '../../files/file-reader.ts';
import { onlyPositional, refusePositionals, textFlag, UsageError } from '../arguments.ts';
import type { Arguments, Flags } from '../arguments.ts';
import { CLIENT_HELP, read, runSubcommand, write } from '../collection.ts';
import type { Subcommand } from '../collection.ts';
import type { ApiClient } from '../gateways/client.ts';
import type { CliIo, Command } from '../io.ts';

const HELP = `Usage: postern policy COMMAND [flags]

  show                 the policy in force, as YAML
  apply FILE           puts the policy in FILE (YAML or JSON) in force, at every instance
  clear                drops every rule: MCP for everyone recognised, administration for role admin
  test                 says whether a caller may do something, and which rule decides

${CLIENT_HELP}
On the data directory no rule holds you back, so that whoever has it can put a policy right.

For test, who calls:
  --sub SUBJECT        needed
  --role ROLE          user (the default) or admin
  --method METHOD      token (the default), certificate, proxy or open
  --issuer ISSUER      of a token
  --ca NAME            the authority a certificate leads to
  --claim NAME=VALUE   repeatable
and what for:
  --server ADDRESS     the slug of a virtual server or gateway, or /mcp (the default)
  --tool NAME, --prompt NAME, --resource URI
                       as callers of that address say it
  --gateway GATEWAY    then it is named as this gateway names it
  --admin ACTION       as gateways:write; instead of all that
  --file FILE          asks the policy in FILE, which is not applied

  --json               print the answer of the REST API
Exit codes: 0 done, for test: allowed; 1 failed, for test: denied; 2 the command line makes no sense.`;

const PATH = '/v1/policy';
const TEST_FLAGS = {
  sub: { type: 'string' },
  role: { type: 'string' },
  method: { type: 'string' },
  issuer: { type: 'string' },
  ca: { type: 'string' },
  claim: { type: 'string', multiple: true },
  server: { type: 'string' },
  tool: { type: 'string' },
  prompt: { type: 'string' },
  resource: { type: 'string' },
  gateway: { type: 'string' },
  admin: { type: 'string' },
  file: { type: 'string' },
} as const satisfies Flags;

interface PolicyView {
  readonly policy: { readonly rules: readonly { readonly name: string; readonly who?: object }[] } | null;
  readonly status: string;
  readonly lastError: string | null;
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  show: read(async (client, parsed, io) => {
    refusePositionals(parsed);
    const view = (await client.send('GET', PATH)) as PolicyView;
    if (parsed.flags['json']) io.out(JSON.stringify(view));
    else if (view.policy !== null) io.out(stringify(readable(view.policy)).trimEnd());
    if (view.status === 'refused') io.err(`the stored policy is refused: ${view.lastError}`);
    return view.status === 'refused' ? 1 : 0;
  }),
  apply: write(async (client, parsed, io) => {
    const body = await readPolicy(onlyPositional(parsed, 'the FILE of a policy'), io);
    return changed(await client.send('PUT', PATH, body), parsed, io);
  }),
  clear: write(async (client, parsed, io) => {
    refusePositionals(parsed);
    return changed(await client.send('DELETE', PATH), parsed, io);
  }),
  test: { ...read(test), flags: TEST_FLAGS },
};

/** `postern policy`: who may do what, from the shell. */
export const policyCommand: Command = (argv, io) => runSubcommand(SUBCOMMANDS, HELP, argv, io);

/** In the order people write it; the store keeps another. */
const readable = ({ rules, ...rest }: NonNullable<PolicyView['policy']>): object => ({
  rules: rules.map(({ name, who, ...what }) => ({ name, ...(who && { who }), ...what })),
  ...rest,
});

/** @throws GatewayError file_refused, request_invalid */
async function readPolicy(file: string, io: CliIo): Promise<object> {
  const text = await readTextFile(resolve(io.cwd, file), file);
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (error) {
    // the first line says where and what; the lines after it quote the file
    const [why = ''] = error instanceof Error ? error.message.split('\n') : [];
    throw new GatewayError('request_invalid', `${file} is not YAML: ${why.replace(/:$/, '')}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new GatewayError('request_invalid', `expected an object with rules in ${file}`);
}

function changed(answer: unknown, { flags }: Arguments, io: CliIo): number {
  const { policy } = answer as { readonly policy: { readonly rules: readonly unknown[] } };
  if (flags['json']) io.out(JSON.stringify(answer));
  else io.out(policy.rules.length === 0 ? 'there are no rules any more' : `${policy.rules.length} rules are in force`);
  return 0;
}

async function test(client: ApiClient, parsed: Arguments, io: CliIo): Promise<number> {
  refusePositionals(parsed);
  const flag = (name: string) => {
    const value = textFlag(parsed, name);
    return value === undefined ? {} : { [name]: value };
  };
  const subject = textFlag(parsed, 'sub');
  if (subject === undefined) throw new UsageError('expected --sub: who calls');
  const file = textFlag(parsed, 'file');
  const claims = claimsOf((parsed.flags['claim'] as readonly string[] | undefined) ?? []);
  const caller = { subject, ...claims, ...flag('role'), ...flag('method'), ...flag('issuer'), ...flag('ca') };
  const answer = (await client.send('POST', `${PATH}/test`, {
    caller,
    ...flag('server'),
    ...flag('gateway'),
    ...flag('tool'),
    ...flag('prompt'),
    ...flag('resource'),
    ...flag('admin'),
    ...(file !== undefined && { policy: await readPolicy(file, io) }),
  })) as { readonly allowed: boolean; readonly why: string; readonly rules: readonly string[] };
  if (parsed.flags['json']) io.out(JSON.stringify(answer));
  else {
    io.out(`${answer.allowed ? 'allowed' : 'denied'}: ${answer.why}`);
    io.out(`rules about ${subject}: ${answer.rules.join(', ') || 'none'}`);
  }
  return answer.allowed ? 0 : 1;
}

/** @throws UsageError */
function claimsOf(texts: readonly string[]): { claims?: Readonly<Record<string, readonly string[]>> } {
  const pairs = texts.map((text) => {
    const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
    if (name === undefined || value === undefined) throw new UsageError('expected --claim as NAME=VALUE');
    return { name, value };
  });
  if (pairs.length === 0) return {};
  const byName = [...Map.groupBy(pairs, ({ name }) => name)];
  return { claims: Object.fromEntries(byName.map(([name, found]) => [name, found.map(({ value }) => value)])) };
}
