import type { GrowingFile } from '../platform.ts';

/** Keeps lines: a file, or what cannot be read back and so has no name. */
export interface AuditSink extends Omit<GrowingFile, 'name'> {
  readonly name: string | undefined;
}
