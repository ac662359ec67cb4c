import type { Clock } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import type { EventSink } from '../../base/events.ts';
import { within } from '../../base/pause.ts';
import type { Secret } from '../../base/secret.ts';
import type { ProgramExit, RunningProgram } from '../../platform.ts';
import { messageIn, type JsonRpcMessage } from '../../wire/json-rpc.ts';
import { LineParser, oneLine } from '../../wire/lines.ts';
import { lastWords } from './last-words.ts';
import type { EventLabel } from '../upstream-config.ts';

/** The longest message of a program. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** What a program that does not read its input may leave waiting, in characters. */
const MAX_WAITING_CHARS = 32 * 1024 * 1024;
/** How long a program whose output ended may take to end too, before that alone is what is reported. */
const EXIT_WAIT_MS = 1000;

export interface StdioProgramOptions {
  /** What must not be shown of what the program says. */
  readonly secrets: readonly Secret[];
  readonly clock: Clock;
  readonly events: EventSink;
  readonly label: EventLabel;
  /** Takes each message with the line it came in. */
  readonly onMessage: (message: JsonRpcMessage, line: string) => void;
  /** Told once that the program speaks no more, and why. */
  readonly onEnded: (reason: GatewayError) => void;
}

/**
 * One process of a program, as messages out and messages in. Lines that are no messages are passed over and counted.
 *
 * @see MCP 2025-11-25, transports, stdio
 */
export class StdioProgram {
  readonly #program: RunningProgram;
  readonly #options: StdioProgramOptions;
  #waitingChars = 0;
  #noiseLines = 0;
  #closing = false;

  constructor(program: RunningProgram, options: StdioProgramOptions) {
    this.#program = program;
    this.#options = options;
    options.events('process.started', { ...options.label, pid: program.pid });
    void this.#run();
  }

  /** Sends one message; false, without sending it, while too much waits to be read by the program. */
  post(text: string): boolean {
    const line = `${oneLine(text)}\n`;
    if (this.#waitingChars + line.length > MAX_WAITING_CHARS) return false;
    void this.#write(line);
    return true;
  }

  /** The error, with what the program itself had to say as its hint. That is for operators, not for callers. */
  explained(error: GatewayError): GatewayError {
    const words = lastWords(this.#program.stderrTail(), this.#options.secrets);
    const noise =
      this.#noiseLines === 0
        ? []
        : [`${this.#noiseLines} lines of its standard output were no messages; it must log to standard error only`];
    const said = words === '' ? 'the program wrote nothing to its standard error' : `the program last wrote: ${words}`;
    return new GatewayError(error.code, error.message, {
      hint: [...noise, said].join('; '),
      ...(error.details && { details: error.details }),
    });
  }

  /** Ends the program; resolves when nothing of it is left. Idempotent. */
  close(): Promise<void> {
    this.#closing = true;
    return this.#program.close();
  }

  async #write(line: string): Promise<void> {
    this.#waitingChars += line.length;
    try {
      await this.#program.write(line);
    } catch {
      // one that reads no more has ended, or is of no use any more
      await this.#program.close();
    } finally {
      this.#waitingChars -= line.length;
    }
  }

  async #run(): Promise<void> {
    const { label, events } = this.#options;
    const { pid, exited } = this.#program;
    const failure = await this.#read();
    const wasClosing = this.#closing;
    const reason = failure ?? exitError(await this.#exitSoon());
    this.#options.onEnded(wasClosing ? reason : this.explained(reason));
    await this.#program.close();
    const { code: exitCode, signal } = await exited;
    events('process.ended', {
      ...label,
      pid,
      exitCode,
      signal,
      noise: this.#noiseLines,
      unexpected: !wasClosing,
    });
  }

  /** Reads until the output ends; the failure when something other than its end was the reason to stop. */
  async #read(): Promise<GatewayError | undefined> {
    const lines = new LineParser(MAX_LINE_BYTES);
    try {
      for await (const chunk of this.#program.stdout) for (const line of lines.push(chunk)) this.#take(line);
      return undefined;
    } catch (error) {
      return toGatewayError(error);
    }
  }

  #take(line: string | undefined): void {
    if (line === undefined)
      throw new GatewayError('upstream_too_large', `a message of the program exceeds ${MAX_LINE_BYTES} bytes`);
    if (line.trim() === '') return;
    const message = messageIn(line);
    if (message === undefined) {
      const { events, label } = this.#options;
      if (this.#noiseLines++ === 0) events('process.noisy', { ...label, pid: this.#program.pid });
      return;
    }
    this.#options.onMessage(message, line);
  }

  #exitSoon(): Promise<ProgramExit | undefined> {
    return within(this.#options.clock, EXIT_WAIT_MS, this.#program.exited);
  }
}

function exitError(exit: ProgramExit | undefined): GatewayError {
  if (exit === undefined) return new GatewayError('process_exited', 'the program closed its standard output');
  const { code, signal } = exit;
  const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
  return new GatewayError('process_exited', `the program ${how}`, { details: { exitCode: code, signal } });
}
