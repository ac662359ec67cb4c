import { expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/base/errors.ts';
import { ERRORS, GatewayError } from '../../../src/base/errors.ts';
import type { EventFields, EventName } from '../../../src/base/events.ts';
import { problemAnswer } from '../../../src/http/problem.ts';
import { mcpStatusOf, rpcCodeOf, statusOf } from '../../../src/http/respond.ts';

const codes = Object.keys(ERRORS) as ErrorCode[];
const inStages = (...stages: string[]) => codes.filter((code) => stages.includes(ERRORS[code].stage));

test('what an upstream did is 502 over REST and a JSON-RPC error with status 200 over MCP', () => {
  const dial = inStages('dns', 'tcp', 'tls', 'http', 'auth', 'protocol').filter((code) => code !== 'address_refused');
  expect(dial.filter((code) => statusOf(code) !== 502 || mcpStatusOf(code) !== 200)).toEqual([]);
});

test('what an operator configured wrongly is 422', () => {
  expect(inStages('config').filter((code) => statusOf(code) !== 422)).toEqual([]);
});

test('the statuses callers rely on', () => {
  const statuses = (names: readonly ErrorCode[]) => names.map((code) => statusOf(code));
  expect(
    statuses(['request_invalid', 'unauthenticated', 'forbidden', 'not_found', 'name_taken', 'version_stale']),
  ).toEqual([400, 401, 403, 404, 409, 412]);
  expect(
    statuses(['refresh_running', 'gateway_inactive', 'request_too_large', 'media_type_unsupported', 'address_refused']),
  ).toEqual([409, 409, 413, 415, 422]);
  expect(statuses(['internal', 'record_tampered', 'vault_key_unknown', 'store_unavailable', 'shutting_down'])).toEqual([
    500, 500, 500, 503, 503,
  ]);
});

test('numbers of MCP itself are used for what MCP means by them only', () => {
  const reserved = codes.filter((code) => rpcCodeOf(code) <= -32020 && rpcCodeOf(code) >= -32099);
  expect(reserved).toEqual(['header_mismatch', 'protocol_version_unsupported']);
});

test('of an unexpected error the caller learns nothing, and the operator where it happened', async () => {
  const seen: { name: EventName; fields: EventFields[EventName] }[] = [];
  const events = <Name extends EventName>(name: Name, fields: EventFields[Name]) => void seen.push({ name, fields });
  const response = problemAnswer(new TypeError('canary'), { path: '/x', events });
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('canary');
  expect(JSON.stringify(seen)).not.toContain('canary');
  expect(seen).toMatchObject([
    {
      name: 'request.failed',
      fields: { code: 'internal', message: expect.stringMatching(/TypeError at .*respond\.test\.ts/) },
    },
  ]);
});

test('a refusal is reported as one', () => {
  const names: EventName[] = [];
  problemAnswer(new GatewayError('unauthenticated', 'no token'), {
    path: '/x',
    events: (name) => void names.push(name),
  });
  expect(names).toEqual(['request.refused']);
});
