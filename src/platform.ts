import type { Clock } from './base/clock.ts';
import type { EventHub } from './base/events.ts';
import type { Secret } from './base/secret.ts';
import type { StorageDriver } from './store/driver.ts';
import type { CallerRules } from './tls/caller-trust.ts';
import type { Dialer } from './tls/dialer.ts';
import type { KeyOpener } from './tls/key-opener.ts';

/**
 * Reads a PEM file an operator named; the adapter decides which folders are allowed and checks the real path.
 *
 * @throws GatewayError file_refused
 */
export type FileReader = (path: string) => Promise<string>;

/** A set of files that is watched. */
export interface FileWatch {
  /**
   * Watches these files from now on and no others; they need not exist yet. Resolves once every change from here on is
   * told; what changed of a new path before that is not. Never rejects.
   */
  watch(paths: Iterable<string>): Promise<void>;
  /** Tells nothing any more. Idempotent. */
  stop(): void;
}

/**
 * Watches files, links on the way to them included, and tells which may read differently now: once for changes that
 * follow each other closely. What a platform cannot watch it reports as an event, so look at files now and then as well.
 * Keeps no process alive. `onChange` must not throw.
 */
export type FileWatcher = (onChange: (paths: readonly string[]) => void) => FileWatch;

/** What is started: a program and its arguments, never a line for a shell. */
export interface Program {
  /** An absolute path, or a name the platform looks up. */
  readonly command: string;
  readonly args: readonly string[];
  /** Beside the few variables every program gets. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute; absent means the platform's own. */
  readonly cwd?: string | undefined;
}

/** How a program ended: one of both is null. */
export interface ProgramExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A program that was started, with its standard streams. */
export interface RunningProgram {
  readonly pid: number;
  /** Its standard output; ends with it. */
  readonly stdout: ReadableStream<Uint8Array>;
  /** Writes to its standard input; resolves when the system took it all. Rejects once the program reads no more. */
  write(text: string): Promise<void>;
  /** The end of what it wrote to its standard error, at most 8,192 bytes of it; `cut` when there was more before. */
  stderrTail(): { readonly text: string; readonly cut: boolean };
  /** Resolves once it has ended. */
  readonly exited: Promise<ProgramExit>;
  /**
   * Ends it and whatever it started: first by ending its input, then asking, then by force. Resolves within seconds,
   * when nothing of it is left. Idempotent.
   */
  close(): Promise<void>;
}

/** Starts programs that speak over their standard streams. */
export interface ProcessSpawner {
  /**
   * Whether a program may be started here, and is there.
   *
   * @throws GatewayError command_not_allowed, command_not_found, command_not_executable, config_invalid for the folder
   */
  check(program: Pick<Program, 'command' | 'cwd'>): Promise<void>;
  /** Starts a program. @throws GatewayError as `check`, and process_not_started */
  open(program: Program): Promise<RunningProgram>;
}

/** What stands at the end of a file of lines. */
export interface FileTail {
  /** The last whole line, newline excluded; undefined where there is none. */
  readonly lastLine: string | undefined;
  /** What stands behind it: a line that was never finished. SHA-256 in lower-case hex. */
  readonly torn: { readonly bytes: number; readonly sha256: string } | undefined;
}

/** A file of lines that only grows. */
export interface GrowingFile {
  /** Names it among the files of a fleet: a host and a path. */
  readonly name: string;
  /**
   * Makes it where it is not there, with access for its owner only, or begins anew where its path leads elsewhere by now.
   *
   * @throws GatewayError audit_unavailable
   */
  open(): Promise<FileTail>;
  /** Whether its path leads elsewhere by now, as after logrotate. Never rejects. */
  hasMoved(): Promise<boolean>;
  /**
   * Writes whole lines, newlines included; they are on disk a second after it resolves, and the next call tells where they
   * are not. Where it rejects, nothing of them is left as far as that can be done, and `open` tells what is.
   *
   * @throws GatewayError audit_unavailable, also where somebody else wrote to the file or cut it since
   */
  append(lines: string): Promise<void>;
  /** Idempotent; never rejects. */
  close(): Promise<void>;
}

/** What a runtime hands in; everything else is the core's. */
export interface Platform {
  readonly dialer: Dialer;
  readonly storage: StorageDriver;
  readonly openKey: KeyOpener;
  readonly readFile: FileReader;
  /** Reads a file that a setting names, wherever it is; absent where there are none. */
  readonly readSettingFile?: FileReader | undefined;
  /** Absent where files cannot be watched; they are read again at a rotation only. */
  readonly watchFiles?: FileWatcher | undefined;
  /** The vault keys as POSTERN_VAULT_KEYS writes them; asked at the start, at a reload and for a key not at hand. */
  readonly readVaultKeys: () => Promise<Secret>;
  /** Absent where no programs can be started; gateways that need it are refused then. */
  readonly spawn?: ProcessSpawner | undefined;
  /** What certificates of callers are held to at the moment; absent where the platform sees to it all. */
  readonly callerRules?: (() => CallerRules) | undefined;
  /** Absent where there are no files. */
  readonly growingFile?: ((path: string) => GrowingFile) | undefined;
  /** SHA-256 of a text in UTF-8, as lower-case hex; absent where the core's own is as fast. */
  readonly sha256?: ((text: string) => string) | undefined;
  readonly clock: Clock;
  /** Names this instance among those of a fleet, for people: a host and a process. */
  readonly instanceName: string;
  /** What the platform's own parts report to as well; the gateway attaches its metrics. */
  readonly events: EventHub;
  /** Background work that must be allowed to finish. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}
