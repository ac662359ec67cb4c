import type { ErrorCode } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { Attempt, Health, HealthObserver } from './health.ts';
import type { ChannelResponse } from '../tls/dialer.ts';
import { isEventStream, isJson } from '../wire/media-types.ts';
import type { CarryObserver } from './link.ts';
import { refusalOf } from './own-request.ts';
import { isEndless } from './transport.ts';
import type { EventLabel } from './upstream-config.ts';

/** What relayed calls tell about an upstream's health: any answer below 500 proves it alive, one of MCP proves it fit. */
export function judgeOf(health: Health): CarryObserver {
  return {
    answered(response, mcpMethod) {
      const { status } = response;
      if (status < 300 && isMcp(response, mcpMethod)) return health.succeeded();
      if (status < 500) return health.answered();
      const refusal = refusalOf({ status, headers: {} });
      if (refusal) health.callFailed(refusal);
    },
    failed: (error) => health.callFailed(error),
  };
}

/** Whether this could be an answer of MCP: a page that says all is well is none, nor is one where a stream was asked for. */
function isMcp(response: Pick<ChannelResponse, 'status' | 'headers'>, mcpMethod: string): boolean {
  if (response.status !== 200 || mcpMethod === 'DELETE') return true;
  return isEventStream(response) || (isJson(response) && !isEndless(mcpMethod));
}

/** Tells turns of an upstream's health as events, and `onFailing` of one for the worse. */
export function healthReport(
  events: EventSink,
  label: EventLabel,
  onFailing: (code: ErrorCode, during: Attempt) => void,
): HealthObserver {
  return {
    onFailing({ code, message }, during) {
      events('upstream.failed', { ...label, code, message, during });
      onFailing(code, during);
    },
    onRecovered: () => events('upstream.recovered', label),
    onBreakerOpened: (code, retryInMs) => events('breaker.opened', { ...label, code, retryInMs }),
  };
}
