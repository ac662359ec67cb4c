import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout, with a trailing slash. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** The file meant, for relative specifiers; the package name, without a path inside it, for others. */
  readonly target: string;
  readonly relative: boolean;
}

export interface SourceFile {
  /** Relative to the checkout, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** The text with comments blanked out. */
  readonly code: string;
  readonly imports: readonly Import[];
}

const STRING_OR_COMMENT = /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
const IMPORT = /\b(?:import|export)\b[^'"`;()]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/g;

/** Every TypeScript file below `folders`, sorted by path. */
export function sourceFiles(...folders: readonly string[]): SourceFile[] {
  return folders
    .flatMap((folder) => readdirSync(ROOT + folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => posix.relative(ROOT, posix.join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes('/node_modules/'))
    .toSorted()
    .map((path) => readSource(path));
}

/** The text of a file of the checkout; `''` when there is none. */
export function readText(path: string): string {
  try {
    return readFileSync(ROOT + path, 'utf8');
  } catch {
    return '';
  }
}

function readSource(path: string): SourceFile {
  const text = readText(path);
  const code = text.replace(STRING_OR_COMMENT, (match, literal?: string) => literal ?? match.replaceAll(/[^\n]/g, ' '));
  const imports = [...code.matchAll(IMPORT)].map(([, from, bare]) => importOf(path, from ?? bare ?? ''));
  return { path, text, code, imports };
}

function importOf(path: string, specifier: string): Import {
  const relative = specifier.startsWith('.');
  const target = relative ? posix.join(posix.dirname(path), specifier) : packageOf(specifier);
  return { specifier, target, relative };
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
