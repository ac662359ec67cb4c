import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Clock, ProgramExit, RunningProgram } from '../../../src/index.ts';

const STDERR_BYTES = 8192;
/** How long a program may take to end once its input has ended, and again once it was asked; what is left is killed. */
const FAREWELL_MS = 2_000;
const TERMINATION_MS = 3_000;
/** How long its streams may stay open after it ended: something it started may have them. */
const LINGER_MS = 300;

/** A child process as the core knows it: streams, and an end that leaves nothing behind. */
export class ChildProgram implements RunningProgram {
  readonly pid: number;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly exited: Promise<ProgramExit>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #clock: Clock;
  readonly #stderr: TailBuffer;
  #closing: Promise<void> | undefined;

  constructor(child: ChildProcessWithoutNullStreams, clock: Clock) {
    this.pid = child.pid ?? 0;
    this.#child = child;
    this.#clock = clock;
    this.stdout = bytesOf(child.stdout);
    this.#stderr = new TailBuffer(child.stderr);
    // whoever writes is told by the callback of the write
    child.stdin.on('error', () => undefined);
    this.exited = new Promise((resolve) => {
      child.once('close', (code: number | null, signal: NodeJS.Signals | null) => resolve({ code, signal }));
      child.once('exit', () => {
        this.signal('SIGKILL');
        clock.after(LINGER_MS, () => {
          child.stdout.destroy();
          child.stderr.destroy();
        });
      });
    });
  }

  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#child.stdin.write(text, (error) => (error ? reject(error) : resolve()));
    });
  }

  stderrTail(): { text: string; cut: boolean } {
    return this.#stderr.read();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Signals the program and what it started, which are one process group where the system has those. */
  signal(name: NodeJS.Signals): void {
    if (process.platform === 'win32') {
      this.#child.kill(name);
      return;
    }
    try {
      process.kill(-this.pid, name);
    } catch {
      // nobody is left
    }
  }

  async #close(): Promise<void> {
    this.#child.stdin.end();
    if (await this.#endsWithin(FAREWELL_MS)) return;
    this.signal('SIGTERM');
    if (await this.#endsWithin(TERMINATION_MS)) return;
    this.signal('SIGKILL');
    await this.#endsWithin(TERMINATION_MS);
  }

  #endsWithin(delayMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(delayMs, () => resolve(false));
      void this.exited.then(() => {
        cancel();
        resolve(true);
      });
    });
  }
}

/** A stream's bytes; it is not read faster than its reader. */
function bytesOf(source: Readable): ReadableStream<Uint8Array> {
  let open = true;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        source.on('data', (chunk: Buffer) => {
          if (!open) return;
          controller.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
          if ((controller.desiredSize ?? 0) <= 0) source.pause();
        });
        source.once('close', () => {
          if (open) controller.close();
          open = false;
        });
        // a close follows every error
        source.on('error', () => undefined);
      },
      pull: () => void source.resume(),
      cancel() {
        open = false;
        source.destroy();
      },
    },
    { highWaterMark: 1 },
  );
}

/** The last bytes of a stream. */
class TailBuffer {
  #tail: Buffer = Buffer.alloc(0);
  #cut = false;

  constructor(source: Readable) {
    source.on('error', () => undefined);
    source.on('data', (chunk: Buffer) => {
      const all = Buffer.concat([this.#tail, chunk]);
      this.#cut ||= all.length > STDERR_BYTES;
      // a copy, so that a long chunk is not kept for its end
      this.#tail = Buffer.from(all.subarray(-STDERR_BYTES));
    });
  }

  read(): { text: string; cut: boolean } {
    return { text: this.#tail.toString('utf8'), cut: this.#cut };
  }
}
