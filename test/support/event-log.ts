import type { EventFields, EventName, EventSink } from '../../src/base/events.ts';

/** An event sink that remembers. */
export interface EventLog {
  readonly sink: EventSink;
  /** The fields of every event of this name so far, oldest first. */
  of<Name extends EventName>(name: Name): EventFields[Name][];
  /** Everything so far as one text, to look for what must not be there. */
  text(): string;
}

export function createEventLog(): EventLog {
  const seen: { readonly name: EventName; readonly fields: unknown }[] = [];
  return {
    sink: (name, fields) => seen.push({ name, fields }),
    // the sink keeps each name with its own fields
    of: <Name extends EventName>(name: Name) =>
      seen.filter((event) => event.name === name).map(({ fields }) => fields as EventFields[Name]),
    text: () => JSON.stringify(seen),
  };
}
