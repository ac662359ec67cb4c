import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

/** A child process of the bench that answers one message with one message. */
export interface Worker {
  readonly pid: number;
  ask<Answer>(message: object): Promise<Answer>;
  stop(): void;
  readonly ended: Promise<unknown>;
}

/** Starts `bench/load/<name>.ts` on this Node. */
export function startWorker(name: string, execArgv: readonly string[] = []): Worker {
  return startProgram([process.execPath, ...execArgv, resolve(import.meta.dirname, `${name}.ts`)]);
}

/** Starts a program of any runtime that has `process.send`. */
export function startProgram(command: readonly string[]): Worker {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  return {
    pid: child.pid ?? 0,
    ask: (message) =>
      new Promise((done, fail) => {
        const ended = (code: number | null) => fail(new Error(`${command.join(' ')} ended with ${code}`));
        child.once('exit', ended);
        child.once('message', (answer) => {
          child.off('exit', ended);
          // the two ends of this pipe are written together
          done(answer as never);
        });
        child.send(message);
      }),
    stop: () => child.disconnect(),
    ended: new Promise((done) => child.once('exit', done)),
  };
}
