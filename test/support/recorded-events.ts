import type { EventFields, EventName, EventSink } from '../../src/base/events.ts';

/** An event sink that remembers. */
export interface RecordedEvents {
  readonly sink: EventSink;
  of<Name extends EventName>(name: Name): EventFields[Name][];
  count(name: EventName): number;
}

export function recordEvents(): RecordedEvents {
  const seen: { name: EventName; fields: unknown }[] = [];
  const of = <Name extends EventName>(name: Name): EventFields[Name][] =>
    seen.filter((event) => event.name === name).map((event) => event.fields as EventFields[Name]);
  return { sink: (name, fields) => void seen.push({ name, fields }), of, count: (name) => of(name).length };
}
