import type { Clock } from '../base/clock.ts';
import { EVENT_LEVELS } from '../base/events.ts';
import type { EventName, EventSink } from '../base/events.ts';
import type { Level } from '../base/events/level.ts';

export interface LogOptions {
  /** Takes one line, newline included. */
  readonly write: (line: string) => void;
  /** The lowest level that is written. */
  readonly level: Level;
  /** For people at a terminal instead of JSON. */
  readonly pretty: boolean;
  readonly clock: Clock;
}

const SEVERITY: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A sink that writes each event at or above a level as one line. */
export function createLog({ write, level, pretty, clock }: LogOptions): EventSink {
  const format = pretty ? prettyLine : jsonLine;
  return (name, fields) => {
    if (SEVERITY[EVENT_LEVELS[name]] >= SEVERITY[level]) write(format(name, fields, clock.nowMs()));
  };
}

/** An event as one line of JSON: time, level, event, then its fields. */
function jsonLine(name: EventName, fields: object, nowMs: number): string {
  const time = new Date(nowMs).toISOString();
  return `${JSON.stringify({ time, level: EVENT_LEVELS[name], event: name, ...fields })}\n`;
}

/** An event as a line for people: `08:15:00 warn  breaker.opened gateway=time retryInMs=1000`. */
function prettyLine(name: EventName, fields: object, nowMs: number): string {
  const time = new Date(nowMs).toISOString().slice(11, 19);
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${readable(value)}`);
  return `${time} ${EVENT_LEVELS[name].padEnd(5)} ${name}${pairs.join('')}\n`;
}

/** A value bare where it is one plain word, else quoted, so that no control character reaches a terminal. */
function readable(value: unknown): string {
  return typeof value === 'string' && /^[\w./:@+-]+$/.test(value)
    ? value
    : JSON.stringify(value).replaceAll(/[\u007f-\u009f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}
