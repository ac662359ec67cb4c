import { onlyPositional, refusePositionals, textFlag, UsageError } from '../arguments.ts';
import type { Arguments } from '../arguments.ts';
import { CLIENT_HELP, read, runSubcommand, say, write } from '../collection.ts';
import type { Subcommand } from '../collection.ts';
import { printTable } from '../gateways/print.ts';
import type { Command } from '../io.ts';
import { parseTtl } from '../ttl.ts';

const HELP = `Usage: postern tokens COMMAND [flags]

Tokens that are kept as hashes: shown once, revoked at any time, and good for as much as they were made for.

  create --sub NAME    makes one, for a caller with role user, and prints it
  list                 what was made, without the tokens
  revoke ID            takes one back
  revoke --jti JTI     takes back a token \`postern token\` printed; its jti is in it
  revoke --sub NAME    takes back everything NAME was given until now
  revoked              what was taken back by jti or name

${CLIENT_HELP}

For create:
  --sub NAME           who it stands for
  --ttl TIME           how long it is valid: 90s, 15m, 1h, 30d (until it is revoked)
  --name TEXT          what it is for
  --server NAME        a server it is good for, by slug, or a pattern; /mcp is that of all; repeatable (all)
  --tool NAME          a tool it is good for, by its own name, or a pattern; repeatable (all)
  --network NETWORK    where it may come from, as 10.1.0.0/16; repeatable (anywhere)
For revoke:
  --before MOMENT      with --sub: what was issued before then, as 2026-12-01T00:00:00Z (now)
  --expires MOMENT     with --jti: when the token expires, so that it need not be remembered longer (ten years)

  --json               print the answer as JSON
Exit codes: 0 done, 1 failed, 2 the command line makes no sense.`;

const PATH = '/v1/tokens';
const REVOCATIONS = `${PATH}/revocations`;
const many = { type: 'string', multiple: true } as const;
const one = { type: 'string' } as const;

interface Shown {
  readonly id: string;
  readonly subject: string;
  readonly status: string;
  readonly name: string | null;
  readonly servers: readonly string[] | null;
  readonly tools: readonly string[] | null;
  readonly networks: readonly string[] | null;
  readonly expiresAt: string | null;
}

interface Revoked {
  readonly jti: string | null;
  readonly subject: string | null;
  readonly issuedBefore: string | null;
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  create: write(
    async (client, parsed, io) => {
      refusePositionals(parsed);
      const answer = await client.send('POST', PATH, wishOf(parsed));
      io.out(parsed.flags['json'] ? JSON.stringify(answer) : (answer as { readonly token: string }).token);
      return 0;
    },
    { sub: one, ttl: one, name: one, server: many, tool: many, network: many },
  ),
  list: read(async (client, parsed, io) => {
    refusePositionals(parsed);
    const tokens = (await client.send('GET', PATH)) as readonly Shown[];
    if (parsed.flags['json']) io.out(JSON.stringify(tokens));
    else printTable(tokens.map(rowOf), 'there is no token', io);
    return 0;
  }),
  revoke: write(
    async (client, parsed, io) => {
      const body = revocationOf(parsed);
      if (body !== undefined) return say(await client.send('POST', REVOCATIONS, body), parsed, io);
      const id = onlyPositional(parsed, 'the id of a token, --jti or --sub');
      return say(await client.send('DELETE', `${PATH}/${encodeURIComponent(id)}`), parsed, io);
    },
    { jti: one, sub: one, before: one, expires: one },
  ),
  revoked: read(async (client, parsed, io) => {
    refusePositionals(parsed);
    const revoked = (await client.send('GET', REVOCATIONS)) as readonly Revoked[];
    const rows = revoked.map(({ jti, subject, issuedBefore }) =>
      jti === null ? ['subject', subject, `issued before ${issuedBefore}`] : ['jti', jti, ''],
    );
    if (parsed.flags['json']) io.out(JSON.stringify(revoked));
    else printTable(rows, 'nothing was taken back', io);
    return 0;
  }),
};

/** `postern tokens`: tokens that are kept, and those that were taken back. */
export const tokensCommand: Command = (argv, io) => runSubcommand(SUBCOMMANDS, HELP, argv, io);

function wishOf(parsed: Arguments): object {
  const subject = textFlag(parsed, 'sub');
  if (subject === undefined) throw new UsageError('expected --sub NAME: who the token stands for');
  const [ttl, name] = [textFlag(parsed, 'ttl'), textFlag(parsed, 'name')];
  const { server: servers, tool: tools, network: networks } = parsed.flags;
  const expiresAt = ttl === undefined ? undefined : new Date(Date.now() + parseTtl(ttl) * 1000).toISOString();
  return { subject, name, expiresAt, servers, tools, networks };
}

/** Undefined where one is meant that is kept. */
function revocationOf(parsed: Arguments): object | undefined {
  const [jti, subject] = [textFlag(parsed, 'jti'), textFlag(parsed, 'sub')];
  const [issuedBefore, expiresAt] = [textFlag(parsed, 'before'), textFlag(parsed, 'expires')];
  if (jti === undefined && subject === undefined) return undefined;
  refusePositionals(parsed);
  return { jti, subject, issuedBefore, expiresAt };
}

function rowOf({ id, subject, status, name, servers, tools, networks, expiresAt }: Shown): readonly unknown[] {
  const scope = Object.entries({ servers, tools, networks }).flatMap(([what, names]) =>
    names === null ? [] : [`${what} ${names.join(',')}`],
  );
  return [id, subject, status, expiresAt ?? 'no expiry', scope.join(' ') || 'everything', name ?? ''];
}
