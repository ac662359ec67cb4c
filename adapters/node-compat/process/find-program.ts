import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { GatewayError } from '../../../src/index.ts';

/** What Windows starts without a shell; a batch file is a text for `cmd.exe`, which reads its arguments as commands. */
const WINDOWS_ENDINGS = ['', '.exe', '.com'];
const BATCH_FILE = /\.(?:bat|cmd)$/i;

const isWindows = process.platform === 'win32';

/**
 * The file a command stands for, if the operator allows it. A name is looked up in the PATH of this process, whose
 * relative folders are passed over: they would mean another program in another folder.
 *
 * @param allowed as POSTERN_STDIO_COMMANDS lists them; a command must be there letter by letter
 * @throws GatewayError command_not_allowed, command_not_found, command_not_executable
 */
export async function findProgram(command: string, allowed: readonly string[]): Promise<string> {
  if (!allowed.includes(command))
    throw new GatewayError('command_not_allowed', `the command ${command} may not be started here`, {
      hint: `add it to POSTERN_STDIO_COMMANDS, which allows ${allowed.join(', ') || 'none'}, and start Postern again`,
      details: { command },
    });
  if (isWindows && BATCH_FILE.test(command)) throw notExecutable(command, 'a batch file runs in a shell only');
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  const paths = isAbsolute(command) ? [command] : folders.map((folder) => join(folder, command));
  let obstacle: string | undefined;
  for (const path of isWindows ? paths.flatMap((path) => WINDOWS_ENDINGS.map((ending) => path + ending)) : paths) {
    const met = await obstacleAt(path);
    if (met === 'none') return path;
    obstacle ??= met;
  }
  if (obstacle !== undefined) throw notExecutable(command, obstacle);
  throw new GatewayError('command_not_found', `there is no program ${command}`, {
    hint: isAbsolute(command)
      ? 'check the path'
      : `it is in none of the folders of PATH (${folders.join(delimiter)}); an absolute path is surer`,
    details: { command },
  });
}

/** What keeps a file from being started; undefined where there is no file. */
async function obstacleAt(path: string): Promise<string | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return undefined;
  if (!stats.isFile()) return 'it is no regular file';
  return access(path, constants.X_OK).then(
    () => 'none',
    () => 'it is not marked executable for the user Postern runs as',
  );
}

/** A program that is there and cannot be run. */
export function notExecutable(command: string, reason: string): GatewayError {
  return new GatewayError('command_not_executable', `${command} cannot be started: ${reason}`, {
    hint: 'a script needs execute permission and a first line that names its interpreter; on Windows name an .exe',
    details: { command },
  });
}
