import type { Fields } from '../base/fields.ts';
import type { FileHeader } from './header-auth.ts';
import { httpFields } from './http-target.ts';
import type { Findings } from './imported-entry.ts';
import type { RemoteCall } from './mcp-remote.ts';
import { fill } from './variables.ts';
import type { Filled, Variables } from './variables.ts';

const BRIDGE = 'mcp-remote is not needed: its server is reached directly';

/** The fields of a gateway for a server behind mcp-remote; `env` is what the entry hands to it. */
export function remoteFields(
  { url, headers, transport, oauthFlags, leftOut }: RemoteCall,
  env: readonly (readonly [string, string])[],
  variables: Variables,
  findings: Findings,
): Fields {
  const own = new Map(env);
  // what the entry hands to the command goes before what is around it
  const known: Variables = {
    ...variables,
    environment: (name) => {
      const text = own.get(name);
      return text === undefined ? variables.environment(name) : fill(text, variables, findings).text;
    },
  };
  findings.changes.push(BRIDGE, ...leftOut.map((flag) => `left out: ${flag}`));
  for (const flag of oauthFlags)
    findings.problems.push({ kind: 'unsupported', name: flag, message: 'logging in with OAuth is not supported yet' });
  const pairs = headers.map((header) => pairOf(fill(header, known, findings)));
  if (pairs.includes(undefined))
    findings.problems.push({ kind: 'invalid', name: '--header', message: 'expected --header with a name and a value' });
  const target = {
    url: fill(url, known, findings),
    headers: pairs.filter((pair) => pair !== undefined),
    transport,
  };
  return { ...httpFields(target, findings), ...trustOf(own, findings) };
}

/** `Name: value`, with or without the blank; a text without a name may be a secret, and is not named. */
function pairOf({ text, template, sources }: Filled): FileHeader | undefined {
  const [, name, value] = /^([^:]+):([^]*)$/.exec(text ?? template) ?? [];
  if (name === undefined || value === undefined) return undefined;
  return [name.trim(), { text: text === undefined ? undefined : value.trim(), template: value.trim(), sources }];
}

/** Variables by which Node.js is told whom to trust. */
function trustOf(env: ReadonlyMap<string, string>, { problems, changes }: Findings): Fields {
  if (env.get('NODE_TLS_REJECT_UNAUTHORIZED') === '0')
    changes.push('it accepted any certificate; here the server has to show one that is trusted');
  if (!env.has('NODE_EXTRA_CA_CERTS')) return {};
  const message = 'it also trusts the authorities in the file NODE_EXTRA_CA_CERTS names';
  problems.push({ kind: 'secret', name: 'ca_certificate', message });
  return { caMode: 'add' };
}
