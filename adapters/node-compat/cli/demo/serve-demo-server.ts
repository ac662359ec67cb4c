import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import process from 'node:process';
import type { CliIo } from '../io.ts';
import { startDemoServer } from './demo-server.ts';

/**
 * The strict MCP server of the demo by itself, with a certificate `postern certs server` made, until a signal ends it.
 *
 * @param folder of `server.crt`, `server.key` and the `ca.crt` callers are held to
 * @throws Error of the file system or the socket
 */
export async function serveDemoServer(folder: string, port: number, io: CliIo): Promise<number> {
  const read = (name: string): Promise<string> => readFile(join(resolve(io.cwd, folder), name), 'utf8');
  const [cert, key, ca] = await Promise.all([read('server.crt'), read('server.key'), read('ca.crt')]);
  const server = await startDemoServer({ cert, key, ca }, port);
  io.out(`a strict MCP server listens on https://localhost:${server.port}/mcp; SIGTERM and Ctrl-C end it`);
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  await server.close();
  return 0;
}
