/** Limits that stand in the policy hold from the moment it is written, in the place of those of the settings. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { postMessage } from '../support/mcp-client.ts';

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await startGateway({ settings: { POSTERN_LIMITS: 'subject=1/hour,name=own' } });
});
afterEach(() => gateway.close());

const put = async (limits: unknown) => {
  const answer = await gateway.api('PUT', '/v1/policy', { rules: [], ...(limits !== undefined && { limits }) });
  return { status: answer.status, text: await answer.text() };
};

/** What two pings of a caller come to, one after the other. */
async function twice(subject: string, role: 'admin' | 'user' = 'user'): Promise<number[]> {
  const token = await gateway.token(subject, role);
  const ping = async () =>
    (await postMessage(`${gateway.url}/mcp`, token, { jsonrpc: '2.0', id: 1, method: 'ping' })).status;
  return [await ping(), await ping()];
}

test('those of the settings hold until the policy has some, and again once it has none', async () => {
  expect(await twice('ann')).toEqual([200, 429]);
  const jobs = { name: 'jobs', who: { subject: 'job-*' }, per: 'subject', rate: '1/hour' };
  expect((await put([jobs])).status).toBe(200);
  expect(await twice('bob')).toEqual([200, 200]);
  expect(await twice('job-1')).toEqual([200, 429]);
  expect((await gateway.api('DELETE', '/v1/policy')).status).toBeLessThan(300);
  expect(await twice('job-2')).toEqual([200, 429]);
});

test('they are about whom rules can be about', async () => {
  await put([{ name: 'users', who: { role: 'user', method: ['token'] }, per: 'subject', rate: '1/hour' }]);
  expect(await twice('ann')).toEqual([200, 429]);
  expect(await twice('ann', 'admin')).toEqual([200, 200]);
});

test('what cannot be read is refused by name, and changes nothing', async () => {
  const { status, text } = await put([{ per: 'subject', rate: '5/week' }]);
  expect(status).toBe(400);
  expect(text).toContain('limits[0].rate: expected a rate such as');
  expect(await twice('ann')).toEqual([200, 429]);
});
