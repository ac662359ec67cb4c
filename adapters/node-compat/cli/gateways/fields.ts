import { resolve } from 'node:path';
import { readTextFile } from '../../files/file-reader.ts';
import { UsageError } from '../arguments.ts';
import type { Arguments, Flags } from '../arguments.ts';
import type { CliIo } from '../io.ts';

/** How a flag's text becomes a field's value; secrets and PEM come from files, since flags show in the process list. */
type Kind = 'text' | 'number' | 'list' | 'variables' | 'file' | 'secret file' | 'off';

interface FieldFlag {
  readonly flag: string;
  /** The field of the REST API. */
  readonly field: string;
  readonly kind: Kind;
  readonly help: string;
  /** What else follows from giving it. */
  readonly implies?: Readonly<Record<string, string>>;
}

/** What a flag may be resolved against. */
type Surroundings = Pick<CliIo, 'cwd' | 'env'>;

const row = (flag: string, field: string, kind: Kind, help: string, implies = {}): FieldFlag => ({
  flag,
  field,
  kind,
  help,
  implies,
});

/** Every field of a gateway that can be written from the shell. */
const FIELD_FLAGS: readonly FieldFlag[] = [
  row('name', 'name', 'text', 'name for people; unique'),
  row('upstream-url', 'url', 'text', 'where the MCP server listens'),
  row('description', 'description', 'text', 'what it is for'),
  row('transport', 'transport', 'text', 'AUTO, STREAMABLEHTTP, SSE or STDIO (AUTO)'),
  row('command', 'command', 'text', 'a program to start instead, as POSTERN_STDIO_COMMANDS has it', {
    transport: 'STDIO',
  }),
  row('arg', 'args', 'list', 'an argument of it, as it is; repeatable; --arg=-y for what begins with a dash'),
  row('env', 'env', 'variables', 'NAME=VALUE for it, or NAME to take over ours; repeatable'),
  row('cwd', 'cwd', 'text', 'the folder it is started in'),
  row('prefix', 'prefix', 'text', 'what goes before its tool names where several gateways meet (slug_)'),
  row('passthrough-header', 'passthroughHeaders', 'list', 'a header of callers that goes upstream; repeatable'),
  row('request-timeout', 'requestTimeoutSeconds', 'number', 'seconds until an answer has to be complete'),
  row('refresh-interval', 'refreshIntervalSeconds', 'number', 'seconds between two readings of its listing'),
  row('ca', 'caCertificate', 'file', 'PEM of the authorities to trust for it'),
  row('ca-mode', 'caMode', 'text', 'only (default) or add: also the public authorities'),
  row('cert', 'clientCert', 'file', 'PEM of the certificate we present, with its chain'),
  row('key', 'clientKey', 'file', 'PEM of its private key; the --cert file may hold both'),
  row('key-password-file', 'clientKeyPassword', 'secret file', 'file with the passphrase of the key'),
  row('client-binding', 'clientBinding', 'text', 'name of a certificate the platform holds, instead of --cert'),
  row('server-name', 'serverName', 'text', "name to ask for and to find in the server's certificate"),
  row('min-tls-version', 'minTlsVersion', 'text', '1.2 or 1.3'),
  row('crl', 'crl', 'file', 'PEM of revocation lists'),
  row('pin', 'pins', 'list', "base64 SHA-256 of the server's public key; repeatable"),
  row('no-check-hostname', 'checkHostname', 'off', 'skip the name check; needs POSTERN_ALLOW_INSECURE_TLS'),
  row('no-verify', 'verify', 'off', 'skip every check of the server; needs POSTERN_ALLOW_INSECURE_TLS'),
  row('bearer-file', 'authToken', 'secret file', 'file with a bearer token to log in with', { authType: 'bearer' }),
  row('basic-user', 'authUsername', 'text', 'user name to log in with', { authType: 'basic' }),
  row('basic-password-file', 'authPassword', 'secret file', 'file with its password'),
  row('auth-header', 'authHeaderKey', 'text', 'name of a header to log in with', { authType: 'authheaders' }),
  row('auth-header-file', 'authHeaderValue', 'secret file', 'file with its value'),
];

/** The flags of `add` and `update`. */
export const fieldFlags: Flags = Object.fromEntries(
  FIELD_FLAGS.map(({ flag, kind }) => [
    flag,
    kind === 'off' ? { type: 'boolean' } : { type: 'string', multiple: kind === 'list' || kind === 'variables' },
  ]),
);

/** Their help. */
export const fieldHelp: string = FIELD_FLAGS.map(({ flag, kind, help }) => {
  const value = {
    text: ' TEXT',
    number: ' N',
    list: ' TEXT',
    variables: ' TEXT',
    file: ' FILE',
    'secret file': ' FILE',
    off: '',
  }[kind];
  return `  ${`--${flag}${value}`.padEnd(29)} ${help}`;
}).join('\n');

/**
 * The body of a create or update from flags; fields named by `clear` become null.
 *
 * @throws UsageError, GatewayError file_refused
 */
export async function bodyOf(
  { flags }: Arguments,
  surroundings: Surroundings,
  clear: readonly string[] = [],
): Promise<Record<string, unknown>> {
  const body: Record<string, unknown> = {};
  for (const { flag, field, kind, implies } of FIELD_FLAGS) {
    if (clear.includes(flag)) body[field] = null;
    const given = flags[flag];
    if (given !== undefined) Object.assign(body, implies, { [field]: await valueOf(flag, kind, given, surroundings) });
  }
  const unknown = clear.find((name) => !FIELD_FLAGS.some(({ flag }) => flag === name));
  if (unknown !== undefined) throw new UsageError(`expected --clear with the name of a field's flag, met ${unknown}`);
  if (flags['cert'] !== undefined && flags['key'] === undefined) takeKeyFromBundle(body);
  return body;
}

async function valueOf(
  flag: string,
  kind: Kind,
  given: string | boolean | readonly string[],
  { cwd, env }: Surroundings,
): Promise<unknown> {
  if (kind === 'off') return false;
  if (kind === 'variables') return variables([given].flat().map(String), env);
  if (typeof given !== 'string') return given;
  if (kind === 'number') return wholeNumber(flag, given);
  if (kind === 'file') return readTextFile(resolve(cwd, given), given);
  if (kind === 'secret file') return (await readTextFile(resolve(cwd, given), given)).replace(/\r?\n$/, '');
  return given;
}

/** A name alone stands for a variable of ours: its value then shows in no process list. */
function variables(given: readonly string[], env: Surroundings['env']): Record<string, string> {
  const pairs = given.map((text) => {
    const [, name = text, value] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    const ours = value ?? env[name];
    if (name !== '' && ours !== undefined) return [name, ours];
    throw new UsageError(`expected --env NAME=VALUE, or the name of a variable that is set, met ${name}`);
  });
  return Object.fromEntries(pairs) as Record<string, string>;
}

/** What is no number must not become null in JSON, which would clear the field. */
function wholeNumber(flag: string, given: string): number {
  if (/^\d+$/.test(given)) return Number(given);
  throw new UsageError(`expected --${flag} as a whole number, met ${given}`);
}

const PRIVATE_KEY = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[^]*?-----END (?:[A-Z]+ )*PRIVATE KEY-----\n?/;

/** Certificate and key in one file are told apart here, so that the key travels in the field that is sealed. */
function takeKeyFromBundle(body: Record<string, unknown>): void {
  const text = String(body['clientCert']);
  const key = PRIVATE_KEY.exec(text)?.[0];
  if (key !== undefined) Object.assign(body, { clientKey: key, clientCert: text.replace(key, '') });
}
