import { spawn } from 'node:child_process';
import type { SpawnOptionsWithoutStdio as SpawnOptions } from 'node:child_process';
import { once } from 'node:events';

/** A line that goes on. */
export interface Started {
  readonly printed: string;
  readonly ended: Promise<void>;
  /** As Ctrl-C does: SIGINT to all the line started; resolves when nothing of it is left. */
  readonly interrupt: () => Promise<void>;
}

export interface Shell {
  /** Runs lines in bash and answers what they print; variables they export are there for the next ones. Fails loudly. */
  run(lines: string): Promise<string>;
  /** Starts a line that goes on; resolves with its first line of output that `isReady`. */
  start(line: string, isReady: (printed: string) => boolean): Promise<Started>;
}

/** Commands as a person types them, in `cwd`, with nothing of this process's environment but what programs need. */
export function openShell(cwd: string, environment: Readonly<Record<string, string>> = {}): Shell {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  let env: NodeJS.ProcessEnv = { PATH, HOME, NODE_COMPILE_CACHE, ...environment };
  const bash = (script: string, options: SpawnOptions = {}) =>
    spawn('bash', ['-euo', 'pipefail', '-c', script], { cwd, env, ...options });
  return {
    async run(lines) {
      const child = bash(`${lines}\nprintf '\\0'\nenv -0`);
      let [printed, errors] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
      const [code] = (await once(child, 'close')) as [number | null];
      if (code !== 0) throw new Error(`exit code ${code} from\n${lines}\n${printed}\n${errors}`);
      const [output = '', ...variables] = printed.split('\0');
      env = Object.fromEntries(variables.filter((pair) => pair !== '').map((pair) => pair.split(/=(.*)/s)));
      return output;
    },
    async start(line, isReady) {
      // a group of its own, as a terminal gives each line
      const child = bash(line, { detached: true });
      const ended = once(child, 'close').then(() => undefined);
      let [printed, errors] = ['', ''];
      child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
      const ready = new Promise<string>((resolve) => {
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          printed += text;
          const found = printed.split('\n').slice(0, -1).find(isReady);
          if (found !== undefined) resolve(found);
        });
      });
      const first = await Promise.race([ready, ended]);
      if (first === undefined) throw new Error(`${line} ended:\n${printed}\n${errors}`);
      return {
        printed: first,
        ended,
        interrupt: () => {
          if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
          return ended;
        },
      };
    },
  };
}
