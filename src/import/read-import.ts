import { GatewayError } from '../base/errors.ts';
import { asFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { readClientFile } from './client-file.ts';
import { readContextForge } from './contextforge.ts';
import { fieldProblems } from './field-problems.ts';
import { revealed } from './hidden.ts';
import type { ImportedGateway, ImportFile } from './imported-entry.ts';
import { parseJsonc } from './jsonc.ts';
import { readOwnExport } from './own-import.ts';
import { readServerJson } from './server-json.ts';
import { withSupplied } from './supply.ts';
import type { Variables } from './variables.ts';

const FORMATS =
  'mcpServers (Claude Desktop, Claude Code, Cursor, Cline, Inspector), servers with inputs (VS Code), a server.json or ' +
  'list of an MCP registry, an export of ContextForge, or an export of Postern';

/**
 * Reads a file that describes MCP servers; what it is is told by its content. What is wrong with one entry is a problem
 * of that entry.
 *
 * @throws GatewayError import_unreadable for what is not JSON, or none of the formats
 */
export function readImport(text: string, variables: Variables): ImportFile {
  const root = parseJsonc(text);
  const fields = asFields(root) ?? {};
  const file =
    readOwnExport(root) ??
    readContextForge(root) ??
    readServerJson(fields, variables) ??
    readClientFile(fields, variables);
  if (file === undefined)
    throw new GatewayError('import_unreadable', 'expected a file that describes MCP servers, met none of those known', {
      hint: `known are: ${FORMATS}`,
    });
  const entries = file.entries.map((entry) =>
    entry.kind === 'gateway' ? checked(withSupplied(entry, variables)) : entry,
  );
  return { ...file, entries };
}

/** What the registration would refuse is told before; with something missing, it cannot be judged yet. */
function checked(entry: ImportedGateway): ImportedGateway {
  if (entry.problems.length > 0) return entry;
  return { ...entry, problems: fieldProblems(revealed(entry.body) as Fields) };
}
