import { GatewayError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import { basicAuthorization, bearerAuthorization } from '../upstream/credentials.ts';
import { noPrograms, type StdioDeps } from '../upstream/ways.ts';
import type { Credentials, HttpTarget, StdioTarget } from '../upstream/upstream-config.ts';
import type { GatewayAuth, GatewayConfig } from './gateway-record.ts';

/**
 * What a gateway leads to, its secrets opened. Whether a program may be started is asked here, without starting it.
 *
 * @throws GatewayError capability_unsupported, command_not_allowed, command_not_found, command_not_executable,
 * config_invalid, record_invalid
 */
export async function openTarget(
  { url, transport, program, auth }: GatewayConfig<Secret>,
  stdio: StdioDeps | undefined,
): Promise<HttpTarget | StdioTarget> {
  if (transport === 'stdio' && program !== undefined) {
    if (stdio === undefined) throw noPrograms();
    await stdio.spawner.check(program);
    return { kind: 'stdio', ...program, cwd: program.cwd };
  }
  if (transport === 'stdio' || url === undefined)
    throw new GatewayError('record_invalid', 'the stored gateway has neither a URL nor a program');
  return { kind: 'http', url: new URL(url), transport, credentials: credentialsOf(auth) };
}

function credentialsOf(auth: GatewayAuth<Secret>): Credentials {
  switch (auth.type) {
    case 'none':
      return { headers: {}, query: {} };
    case 'basic':
      return { headers: { authorization: basicAuthorization(auth.username, auth.password) }, query: {} };
    case 'bearer':
      return { headers: { authorization: bearerAuthorization(auth.token) }, query: {} };
    case 'authheaders': {
      const headers = Object.entries(auth.headers).map(([name, value]) => [name.toLowerCase(), value]);
      return { headers: Object.fromEntries(headers), query: {} };
    }
    case 'query_param':
      return { headers: {}, query: { [auth.key]: auth.value } };
  }
}
