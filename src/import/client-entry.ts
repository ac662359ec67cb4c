import { asFields, isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { httpFields } from './http-target.ts';
import type { HttpTarget } from './http-target.ts';
import { noFindings } from './imported-entry.ts';
import type { Findings, ImportedGateway } from './imported-entry.ts';
import { unwrapMcpRemote } from './mcp-remote.ts';
import { remoteFields } from './remote-fields.ts';
import { stdioFields } from './stdio-target.ts';
import { fill } from './variables.ts';
import type { Filled, Variables } from './variables.ts';

/** Members of an entry with a meaning here; what else there is belongs to the client. */
const KNOWN = new Set(
  (
    'type transport transportType url serverUrl httpUrl headers requestInit command args env cwd disabled enabled ' +
    // the last four are reported as unsupported
    'protocolEra description oauth auth headersHelper envFile'
  ).split(' '),
);

type Transport = HttpTarget['transport'] | 'STDIO';

/** One entry of a client's configuration. Never throws: what is wrong with it is a problem of the entry. */
export function clientEntry(source: string, value: unknown, variables: Variables): ImportedGateway {
  const findings = noFindings();
  const body: Fields = isFields(value) ? fieldsOf(value, variables, findings) : notAnEntry(findings);
  const entry = asFields(value) ?? {};
  return {
    kind: 'gateway',
    source,
    body: { ...body, name: source },
    enabled: entry['disabled'] !== true && entry['enabled'] !== false,
    ...findings,
  };
}

function notAnEntry({ problems }: Findings): Fields {
  problems.push({ kind: 'invalid', name: 'entry', message: 'expected an object with url or command' });
  return {};
}

function fieldsOf(entry: Fields, variables: Variables, findings: Findings): Fields {
  if (urlOf(entry) === undefined && typeof entry['command'] !== 'string') return notAnEntry(findings);
  const { description, protocolEra } = entry;
  const shared = {
    ...(typeof description === 'string' && description !== '' && { description }),
    ...((protocolEra === 'legacy' || protocolEra === 'modern') && { protocolEra }),
  };
  refuseLogins(entry, findings);
  const leftOut = Object.keys(entry).filter((name) => !KNOWN.has(name));
  if (leftOut.length > 0) findings.changes.push(`left out: ${leftOut.join(', ')}`);
  const transport = transportOf(entry, findings);
  if (transport === 'STDIO') return { ...stdioOrRemote(entry, variables, findings), ...shared };
  const url = fill(urlOf(entry) ?? '', variables, findings);
  const headers = asFields(entry['headers']) ?? asFields(asFields(entry['requestInit'])?.['headers']) ?? {};
  return { ...httpFields({ url, headers: headersOf(headers, variables, findings), transport }, findings), ...shared };
}

/** How entries log in where headers do not do it. */
function refuseLogins(entry: Fields, { problems }: Findings): void {
  const refused = {
    oauth: 'logging in with OAuth is not supported yet',
    auth: 'logging in with OAuth is not supported yet',
    headersHelper: 'headers made by a program are not supported: write them into headers',
    envFile: 'files of variables are not read: write them into env',
  };
  for (const [name, message] of Object.entries(refused))
    if (isFields(entry[name]) || typeof entry[name] === 'string') problems.push({ kind: 'unsupported', name, message });
}

const urlOf = (entry: Fields): string | undefined =>
  ['url', 'serverUrl', 'httpUrl'].map((name) => entry[name]).find((value) => typeof value === 'string');

/** Undefined leaves it to what the server answers. A type nobody knows goes by whether there is a URL. */
function transportOf(entry: Fields, { problems }: Findings): Transport {
  const given = ['type', 'transport', 'transportType'].map((name) => entry[name]).find(Boolean);
  const type = typeof given === 'string' ? given.toLowerCase().replaceAll(/[^a-z]/g, '') : undefined;
  const hasCommand = typeof entry['command'] === 'string';
  const hasUrl = urlOf(entry) !== undefined;
  if (type?.startsWith('ws') || type === 'websocket')
    problems.push({ kind: 'unsupported', name: 'type', message: 'WebSocket upstreams are not supported' });
  if (hasUrl && !(hasCommand && (type === undefined || type === 'stdio'))) {
    if (type === 'http' || type === 'streamablehttp') return 'STREAMABLEHTTP';
    if (type === 'sse') return 'SSE';
    return type === undefined && typeof entry['httpUrl'] === 'string' ? 'STREAMABLEHTTP' : undefined;
  }
  return hasCommand ? 'STDIO' : undefined;
}

function headersOf(headers: Fields, variables: Variables, findings: Findings): HttpTarget['headers'] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const text = textOf(value);
    if (text === undefined)
      findings.problems.push({ kind: 'invalid', name, message: `expected the header ${name} to be a text` });
    return text === undefined ? [] : [[name, fill(text, variables, findings)] as const];
  });
}

function stdioOrRemote(entry: Fields, variables: Variables, findings: Findings): Fields {
  const given: unknown = entry['args'] ?? [];
  const args = (Array.isArray(given) ? given : [given]).flatMap((value) => textOf(value) ?? []);
  const env = Object.entries(asFields(entry['env']) ?? {}).flatMap(([name, value]) => {
    const text = textOf(value);
    return text === undefined ? [] : [[name, text] as const];
  });
  const remote = unwrapMcpRemote(String(entry['command']), args);
  if (remote !== undefined) return remoteFields(remote, env, variables, findings);
  const filled = (text: string): Filled => fill(text, variables, findings);
  const { cwd } = entry;
  return stdioFields(
    {
      command: filled(String(entry['command'])),
      args: args.map(filled),
      env: env.map(([name, text]) => [name, filled(text)] as const),
      cwd: typeof cwd === 'string' && cwd !== '' ? filled(cwd) : undefined,
    },
    findings,
  );
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
