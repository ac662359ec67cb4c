import { asFields, isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { clientEntry } from './client-entry.ts';
import type { ImportFile, LeftOut } from './imported-entry.ts';
import type { Variables } from './variables.ts';

/**
 * A configuration file of an MCP client: `mcpServers` (Claude Desktop, Claude Code, Cursor, Cline, Inspector),
 * `servers` with `inputs` (VS Code), or nothing but entries. Undefined for anything else.
 */
export function readClientFile(root: Fields, variables: Variables): ImportFile | undefined {
  const found = mcpServersOf(root) ?? vsCodeOf(root) ?? bareOf(root);
  if (found === undefined) return undefined;
  const { format, servers, inputs, leftOut = [] } = found;
  const known = withInputs(variables, inputs ?? []);
  const entries = Object.entries(servers).map(([name, entry]) => clientEntry(name, entry, known));
  return { format, entries, leftOut };
}

interface Found {
  readonly format: string;
  readonly servers: Fields;
  readonly inputs?: readonly unknown[];
  readonly leftOut?: readonly LeftOut[];
}

function mcpServersOf(root: Fields): Found | undefined {
  const servers = asFields(root['mcpServers']);
  if (servers === undefined) return undefined;
  const projects = Object.values(asFields(root['projects']) ?? {}).map((project) =>
    Object.keys(asFields(asFields(project)?.['mcpServers']) ?? {}),
  );
  const count = projects.flat().length;
  const because = 'they belong to one folder each: import the .mcp.json of that folder';
  return {
    format: 'mcpServers',
    servers,
    ...(Array.isArray(root['inputs']) && { inputs: root['inputs'] as readonly unknown[] }),
    leftOut: count === 0 ? [] : [{ what: 'servers of single projects', count, because }],
  };
}

/** `mcp.json`, or settings that hold the same under `mcp`. */
function vsCodeOf(root: Fields): Found | undefined {
  const { servers, inputs } = asFields(root['mcp']) ?? root;
  if (!isFields(servers)) return undefined;
  return {
    format: 'VS Code mcp.json',
    servers,
    ...(Array.isArray(inputs) && { inputs: inputs as readonly unknown[] }),
  };
}

function bareOf(root: Fields): Found | undefined {
  const entries = Object.values(root);
  const isEntry = (value: unknown): boolean =>
    isFields(value) && ['url', 'serverUrl', 'httpUrl', 'command'].some((name) => typeof value[name] === 'string');
  return entries.length > 0 && entries.every(isEntry) ? { format: 'mcpServers', servers: root } : undefined;
}

/** Inputs of the file give their defaults and descriptions; what is given for an id goes before. */
function withInputs(variables: Variables, inputs: readonly unknown[]): Variables {
  const byId = new Map(inputs.filter(isFields).map((input) => [input['id'], input]));
  const textOf = (id: string, member: string): string | undefined => {
    const text = byId.get(id)?.[member];
    return typeof text === 'string' ? text : undefined;
  };
  return {
    ...variables,
    input: (id) => variables.input(id) ?? textOf(id, 'default'),
    describeInput: (id) => textOf(id, 'description'),
  };
}
