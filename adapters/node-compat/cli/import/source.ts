import { basename, dirname, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { readTextFile } from '../../files/file-reader.ts';
import type { CliIo } from '../io.ts';

/** An export of a large ContextForge holds every schema of every tool. */
const MAX_BYTES = 64 * 1024 * 1024;

/** The text of a file, or of standard input for `-`. @throws GatewayError file_refused */
export function readSource(path: string, cwd: string): Promise<string> {
  return path === '-' ? text(process.stdin) : readTextFile(resolve(cwd, path), path, MAX_BYTES);
}

/** Folders that keep the configuration of an editor for the folder they are in. */
const INSIDE_WORKSPACE = new Set(['.vscode', '.cursor', '.claude', '.gemini']);

/** The folders editors name in a file that lies at `path`; those of a text from standard input are not known. */
export function foldersAround(path: string, { cwd, env }: CliIo): (name: string) => string | undefined {
  return (name) => {
    if (name === 'userHome') return env['HOME'] ?? env['USERPROFILE'];
    if (path === '-') return undefined;
    const folder = dirname(resolve(cwd, path));
    return INSIDE_WORKSPACE.has(basename(folder)) ? dirname(folder) : folder;
  };
}
