import type { EventFields, EventName, EventSink } from '../../src/base/events.ts';

/** An event sink that remembers. */
export interface RecordedEvents {
  readonly sink: EventSink;
  /** The fields of every event of this name so far, oldest first. */
  of<Name extends EventName>(name: Name): EventFields[Name][];
  count(name: EventName): number;
  /** Everything so far as one text, to look for what must not be there. */
  text(): string;
}

export function recordEvents(): RecordedEvents {
  const seen: { readonly name: EventName; readonly fields: unknown }[] = [];
  // the sink keeps each name with its own fields
  const of = <Name extends EventName>(name: Name): EventFields[Name][] =>
    seen.filter((event) => event.name === name).map((event) => event.fields as EventFields[Name]);
  return {
    sink: (name, fields) => void seen.push({ name, fields }),
    of,
    count: (name) => of(name).length,
    text: () => JSON.stringify(seen),
  };
}
