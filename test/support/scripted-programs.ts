import type { ProcessSpawner, Program, RunningProgram } from '../../src/platform.ts';

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** A program that does what the test says. */
export interface ScriptedProgram {
  readonly program: Program;
  /** Every message it was sent. */
  readonly received: Message[];
  /** Whether it was told to end. */
  readonly closed: boolean;
  /** Writes a message to its standard output, or a text as it is. */
  say(message: object | string): void;
  /** Ends by itself. */
  exit(code: number): void;
}

export interface ScriptedPrograms extends ProcessSpawner {
  readonly started: ScriptedProgram[];
}

/** A spawner of programs that answer with what `answer` makes of each request, and are silent where it makes nothing. */
export function scriptedPrograms(answer: (message: Message) => object | undefined): ScriptedPrograms {
  const started: ScriptedProgram[] = [];
  const start = (program: Program): RunningProgram => {
    const exited = Promise.withResolvers<{ code: number | null; signal: string | null }>();
    const output = new TransformStream<Uint8Array, Uint8Array>(undefined, undefined, { highWaterMark: 1000 });
    const writer = output.writable.getWriter();
    const scripted = {
      program,
      received: [] as Message[],
      closed: false,
      say: (message: object | string) =>
        void writer.write(
          new TextEncoder().encode(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`),
        ),
      exit(code: number) {
        void writer.close().catch(() => undefined);
        exited.resolve({ code, signal: null });
      },
    };
    started.push(scripted);
    return {
      pid: started.length,
      stdout: output.readable,
      exited: exited.promise,
      stderrTail: () => ({ text: 'last words', cut: false }),
      async write(text) {
        const message = JSON.parse(text) as Message;
        scripted.received.push(message);
        const answered = message.method === undefined || message.id === undefined ? undefined : answer(message);
        if (answered) scripted.say({ jsonrpc: '2.0', id: message.id, ...answered });
        return Promise.resolve();
      },
      async close() {
        if (scripted.closed) return;
        scripted.closed = true;
        scripted.exit(0);
        await exited.promise;
      },
    };
  };
  return {
    started,
    check: () => Promise.resolve(),
    open: (program) => Promise.resolve(start(program)),
  };
}
