import { CALLER_LEVELS } from './events/caller-events.ts';
import type { CallerEvents } from './events/caller-events.ts';
import { GATEWAY_LEVELS } from './events/gateway-events.ts';
import type { GatewayEvents } from './events/gateway-events.ts';
import type { LevelsOf } from './events/level.ts';
import { LISTENER_LEVELS } from './events/listener-events.ts';
import type { ListenerEvents } from './events/listener-events.ts';
import { ROTATION_LEVELS } from './events/rotation-events.ts';
import type { RotationEvents } from './events/rotation-events.ts';
import { UPSTREAM_LEVELS } from './events/upstream-events.ts';
import type { UpstreamEvents } from './events/upstream-events.ts';

/**
 * Everything the gateway reports about itself. Logs, metrics and audit are sinks of these events; a field that is not in an
 * event's type cannot be logged, so no secret can be. An event stands with its level in one of the groups below `events/`.
 */
export interface EventFields extends GatewayEvents, ListenerEvents, CallerEvents, RotationEvents, UpstreamEvents {}

/** The name of an event. */
export type EventName = keyof EventFields;

/** The level each event is logged at. */
export const EVENT_LEVELS: LevelsOf<EventFields> = {
  ...GATEWAY_LEVELS,
  ...LISTENER_LEVELS,
  ...CALLER_LEVELS,
  ...ROTATION_LEVELS,
  ...UPSTREAM_LEVELS,
};

/** Takes events; must not throw. */
export interface EventSink {
  <Name extends EventName>(name: Name, fields: EventFields[Name]): void;
}

/** One sink for everything a process reports, handed on to every sink attached to it. */
export interface EventHub extends EventSink {
  attach(sink: EventSink): void;
}

/** A hub that hands every event to its sinks, in order of attachment. */
export function createEventHub(...attached: EventSink[]): EventHub {
  const sinks = [...attached];
  const emit: EventSink = (name, fields) => {
    for (const sink of sinks) sink(name, fields);
  };
  return Object.assign(emit, { attach: (sink: EventSink) => void sinks.push(sink) });
}
