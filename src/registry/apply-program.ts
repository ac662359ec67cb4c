import { GatewayError } from '../base/errors.ts';
import { isAbsolutePath, isBareName } from '../base/program-name.ts';
import type { Secret } from '../base/secret.ts';
import type { Sealed } from '../vault/vault.ts';
import { snakeOf } from './field-schema.ts';
import type { GatewayPatch } from './gateway-fields.ts';
import type { GatewayProgram } from './gateway-record.ts';
import { kept, keptSecret } from './kept.ts';

type AnySecret = Secret | Sealed;
type Program = GatewayProgram<AnySecret>;

const PROGRAM_FIELDS = ['command', 'args', 'env', 'cwd'] as const satisfies readonly (keyof GatewayPatch)[];

/** Variables by which other code than that of the allowed program is run in it: by loaders, shells and interpreters. */
const LOADERS = new RegExp(
  `^(?:${[
    'LD_.*|DYLD_.*|GCONV_PATH',
    'ENV|BASH_ENV|BASHOPTS|SHELLOPTS|PS4|ZDOTDIR',
    'NODE_OPTIONS|NODE_PATH|NODE_REPL_EXTERNAL_MODULE',
    // a warning filter imports a module, and one of those opens BROWSER
    'PYTHON(?:PATH|HOME|STARTUP|WARNINGS|BREAKPOINT|INSPECT|USERBASE|PLATLIBDIR|EXECUTABLE)',
    'PERLLIB|PERL5LIB|PERL5OPT|PERL5DB|RUBYLIB|RUBYOPT|LUA_(?:INIT|PATH|CPATH).*|PHPRC|PHP_INI_SCAN_DIR',
    'CLASSPATH|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|_JAVA_OPTIONS',
    'DOTNET_STARTUP_HOOKS|(?:CORECLR|COR)_(?:ENABLE_PROFILING|PROFILER.*)',
  ].join('|')})$`,
  'i',
);

/**
 * The program of a gateway after a change.
 *
 * @throws GatewayError config_invalid, request_invalid for a mask without a stored value
 */
export function applyProgram(stored: Program | undefined, patch: GatewayPatch): Program {
  const command = kept(patch.command, stored?.command, (text) => text);
  if (command === undefined || !(isAbsolutePath(command) || isBareName(command)))
    throw new GatewayError(
      'config_invalid',
      `transport STDIO needs a command: an absolute path or a bare name${command === undefined ? '' : `, met ${command}`}`,
      { details: { field: 'command' } },
    );
  return {
    command,
    args: kept(patch.args, stored?.args, (args) => args) ?? [],
    env: kept(patch.env, stored?.env, (env) => environmentOf(stored?.env ?? {}, env)) ?? {},
    cwd: kept(patch.cwd, stored?.cwd, absolute),
  };
}

function environmentOf(
  stored: Readonly<Record<string, AnySecret>>,
  given: NonNullable<GatewayPatch['env']>,
): Readonly<Record<string, AnySecret>> {
  const refused = Object.keys(given).filter((name) => LOADERS.test(name));
  if (refused.length > 0)
    throw new GatewayError('config_invalid', `${refused.join(', ')} would make another program of this one`, {
      hint: 'set it in a script of your own, and allow that one in POSTERN_STDIO_COMMANDS',
      details: { field: 'env', names: refused },
    });
  const entries = Object.entries(given).map(([name, value]) => {
    const before = Object.hasOwn(stored, name) ? stored[name] : undefined;
    return [name, keptSecret<AnySecret>(`env.${name}`, value, before, (secret) => secret)] as const;
  });
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

function absolute(cwd: string): string {
  if (isAbsolutePath(cwd)) return cwd;
  throw new GatewayError('config_invalid', `expected cwd as an absolute path, met ${cwd}`, {
    details: { field: 'cwd' },
  });
}

/** What says nothing of a program, as a program has none of it: what is read back of it may be sent again. */
const INERT: { readonly [Field in keyof GatewayPatch]?: (value: unknown) => boolean } = {
  verify: (value) => value === true,
  checkHostname: (value) => value === true,
  minTlsVersion: (value) => value === 'TLSv1.2',
  revocation: (value) => value === 'none',
  pins: isEmpty,
  authType: (value) => value === 'none',
  passthroughHeaders: isEmpty,
};

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** Whatever has to do with an address, who is there, and how we log in. */
const ADDRESS_FIELDS = [
  'url',
  'passthroughHeaders',
  'authType',
  'authUsername',
  'authPassword',
  'authToken',
  'authHeaderKey',
  'authHeaderValue',
  'authHeaders',
  'authQueryParamKey',
  'authQueryParamValue',
  'caCertificate',
  'caMode',
  'clientCert',
  'clientKey',
  'clientKeyPassword',
  'clientBinding',
  'serverName',
  'checkHostname',
  'verify',
  'minTlsVersion',
  'crl',
  'revocation',
  'pins',
  'next',
] as const satisfies readonly (keyof GatewayPatch)[];

/** Refuses what would silently not happen: a program has no address, no TLS and no headers. @throws GatewayError config_invalid */
export function refuseAddressFields(patch: GatewayPatch): void {
  const fields = given(patch, ADDRESS_FIELDS).filter((field) => !INERT[field]?.(patch[field]));
  if (fields.length > 0)
    throw new GatewayError(
      'config_invalid',
      `${names(fields)} belong to a server behind a URL, not to transport STDIO`,
      {
        hint: 'leave them out; a program gets its credentials in env',
        details: { fields },
      },
    );
}

/** Refuses what belongs to a program. @throws GatewayError config_invalid */
export function refuseProgramFields(patch: GatewayPatch): void {
  const fields = given(patch, PROGRAM_FIELDS);
  if (fields.length > 0)
    throw new GatewayError('config_invalid', `${names(fields)} belong to a program that is started here`, {
      hint: 'send transport STDIO with them, and no url',
      details: { fields },
    });
}

const given = <Field extends keyof GatewayPatch>(patch: GatewayPatch, fields: readonly Field[]): readonly Field[] =>
  fields.filter((field) => patch[field] !== undefined && patch[field] !== null);

const names = (fields: readonly string[]): string => fields.map(snakeOf).join(', ');
