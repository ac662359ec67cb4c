import { resolve } from 'node:path';

const SCRIPT = resolve(import.meta.dirname, 'stdio-server.ts');

/** The setting under which Node may be started. */
export const NODE_ALLOWED = { POSTERN_STDIO_COMMANDS: process.execPath };

/** What to register for `stdio-server.ts` in an era, with further arguments for it. */
export function stdioFields(era: 'dual' | 'legacy' | 'modern' = 'dual', ...more: readonly string[]) {
  return { transport: 'STDIO', command: process.execPath, args: [SCRIPT, era, ...more] } as const;
}

/** What to register for a program of a few lines. */
export const scriptFields = (script: string) => ({
  transport: 'STDIO',
  command: process.execPath,
  args: ['--eval', script],
});

/** Whether a process is there. */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
