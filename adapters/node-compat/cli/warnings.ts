import { createLog } from '../../../src/index.ts';
import type { EventSink } from '../../../src/index.ts';
import { systemClock } from '../clock.ts';
import type { CliIo } from './io.ts';

/** Events worth a warning, on standard error, for commands that work on a data directory themselves. */
export function warningsTo(io: CliIo): EventSink {
  return createLog({ write: (line) => io.err(line.trimEnd()), level: 'warn', pretty: true, clock: systemClock });
}
