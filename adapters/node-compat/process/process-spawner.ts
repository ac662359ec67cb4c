import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { GatewayError } from '../../../src/index.ts';
import type { Clock, ProcessSpawner, Program } from '../../../src/index.ts';
import { findProgram, notExecutable } from './find-program.ts';
import { environmentOf } from './inherited-environment.ts';
import { ChildProgram } from './running-program.ts';

export interface ProcessSpawnerOptions {
  /** What may be started, as POSTERN_STDIO_COMMANDS lists it. */
  readonly commands: readonly string[];
  readonly clock: Clock;
}

/**
 * Starts programs as children of this process, never through a shell: arguments arrive as they are. Each is a process
 * group of its own, which ends as a whole; with this process it ends too, unless that was killed and the program does
 * not mind that its input ended.
 */
export function createProcessSpawner({ commands, clock }: ProcessSpawnerOptions): ProcessSpawner {
  const running = new Set<ChildProgram>();
  const killAll = (): void => {
    for (const program of running) program.signal('SIGKILL');
  };
  const check = async ({ command, cwd }: Pick<Program, 'command' | 'cwd'>): Promise<string> => {
    const path = await findProgram(command, commands);
    if (cwd !== undefined) await checkFolder(cwd);
    return path;
  };
  return {
    check: async (program) => void (await check(program)),
    async open(program) {
      const child = await start(await check(program), program);
      const opened = new ChildProgram(child, clock);
      if (running.size === 0) process.on('exit', killAll);
      running.add(opened);
      void opened.exited.then(() => {
        running.delete(opened);
        if (running.size === 0) process.off('exit', killAll);
      });
      return opened;
    },
  };
}

async function checkFolder(cwd: string): Promise<void> {
  const stats = await stat(cwd).catch(() => undefined);
  if (stats?.isDirectory()) return;
  throw new GatewayError('config_invalid', `cwd ${cwd} is no folder of this machine`, { details: { field: 'cwd' } });
}

function start(path: string, { command, args, env, cwd }: Program): Promise<ChildProcessWithoutNullStreams> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(startFailure(command, error));
    try {
      const child = spawn(path, [...args], {
        env: environmentOf(env, process.env),
        ...(cwd !== undefined && { cwd }),
        stdio: 'pipe',
        shell: false,
        windowsHide: true,
        // a process group of its own; on Windows it would be a console of its own
        detached: process.platform !== 'win32',
      });
      child.once('error', fail);
      child.once('spawn', () => {
        child.off('error', fail);
        // from here on errors are failed signals, and those who send them know
        child.on('error', () => undefined);
        resolve(child);
      });
    } catch (error) {
      fail(error);
    }
  });
}

function startFailure(command: string, error: unknown): GatewayError {
  // what Deno's permissions forbid has a name and no code
  const { name, code = name } = error as NodeJS.ErrnoException;
  // the file itself was found before
  if (code === 'ENOENT')
    return new GatewayError('command_not_found', `the interpreter of ${command} is missing`, {
      hint: 'its first line names a program that is not there',
      details: { command },
    });
  if (code === 'EACCES' || code === 'EPERM') return notExecutable(command, `the system refuses it (${code})`);
  if (code === 'ENOEXEC')
    return notExecutable(command, 'it is no program of this machine, nor a script that names one');
  return new GatewayError('process_not_started', `${command} could not be started (${code})`, {
    hint: 'too many processes or open files, too little memory, too long arguments (E2BIG), no --allow-run (NotCapable)',
    details: { command, reason: code },
  });
}
