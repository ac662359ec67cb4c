import { beforeEach, expect, test } from 'vitest';
import type { Caller } from '../../../src/bridge/modern-to-legacy/leg.ts';
import { UpstreamSessions } from '../../../src/bridge/modern-to-legacy/upstream-sessions.ts';
import type { Grant } from '../../../src/policy/grant.ts';
import { grantUpkeep } from '../../../src/policy/grant.ts';
import { textResponse } from '../../../src/upstream/ready-response.ts';
import { scriptPeer } from '../../support/legacy-peer.ts';
import type { LegacyPeer } from '../../support/legacy-peer.ts';
import { ManualClock } from '../../support/manual-clock.ts';

let clock: ManualClock;
let peer: LegacyPeer;
let sessions: UpstreamSessions;
const { signal } = new AbortController();

beforeEach(() => {
  clock = new ManualClock();
  peer = scriptPeer();
  sessions = new UpstreamSessions(peer.upstream, clock);
});

const caller = (subject: string, capabilities = {}, passed = {}): Caller => ({
  grant: grantUpkeep(subject) satisfies Grant,
  capabilities,
  passed,
});
const asking = { elicitation: {} };
const idOf = async (who: Caller, alone = false) =>
  (await sessions.lend(who, alone, signal)).leg.headers['mcp-session-id'];

test('who may be asked nothing shares a session; who may, or needs one alone, has one', async () => {
  expect(await idOf(caller('ann'))).toBe('shared');
  expect(await idOf(caller('ann'), true)).toBe('s1');
  expect(await idOf(caller('ann', asking))).toBe('s2');
  expect(peer.of('initialize').map(({ message }) => message['params'])).toMatchObject([
    { capabilities: {} },
    { capabilities: asking },
  ]);
  expect(peer.of('notifications/initialized')).toHaveLength(2);
});

test('calls in flight never share one, and one given back goes to its like only', async () => {
  const loans = await Promise.all([1, 2].map(() => sessions.lend(caller('ann', asking), false, signal)));
  expect(new Set(loans.map(({ leg }) => leg.headers['mcp-session-id'])).size).toBe(2);
  loans[0]?.giveBack(true);
  expect(await idOf(caller('bob', asking))).toBe('s3');
  expect(await idOf(caller('ann', { sampling: {} }))).toBe('s4');
  expect(await idOf(caller('ann', asking, { 'x-tenant': 'other' }))).toBe('s5');
  expect(await idOf(caller('ann', asking, { traceparent: 'x' }))).toBe('s1');
  expect(await idOf(caller('ann', asking))).toBe('s6');
});

test('one that may still speak of its call is ended', async () => {
  const loan = await sessions.lend(caller('ann', asking), false, signal);
  loan.giveBack(false);
  loan.giveBack(true);
  await expect.poll(() => peer.ended()).toEqual(['s1']);
  expect(await idOf(caller('ann', asking))).toBe('s2');
});

test('one that lies idle is ended after a minute', async () => {
  const loan = await sessions.lend(caller('ann', asking), false, signal);
  loan.giveBack(true);
  clock.advance(59_999);
  expect(peer.ended()).toEqual([]);
  clock.advance(1);
  expect(peer.ended()).toEqual(['s1']);
  expect(await idOf(caller('ann', asking))).toBe('s2');
});

test('beyond the bound the one that lay idle longest makes room; where none lies idle a call is refused', async () => {
  const all = await Promise.all(
    Array.from({ length: 512 }, (_, index) => sessions.lend(caller(`c${index}`, asking), false, signal)),
  );
  const refused = sessions.lend(caller('late', asking), false, signal);
  await expect(refused).rejects.toMatchObject({ code: 'bridge_busy' });
  all[7]?.giveBack(true);
  all[3]?.giveBack(true);
  expect(await idOf(caller('late', asking))).toBe('s513');
  expect(peer.ended()).toEqual([all[7]?.leg.headers['mcp-session-id']]);
  expect(await idOf(caller('any'))).toBe('shared');
});

test('one that could not be opened takes no room', async () => {
  peer.answer = () => textResponse(500, '');
  for (let index = 0; index < 300; index++)
    await expect(sessions.lend(caller('ann', asking), false, signal)).rejects.toMatchObject({
      code: 'upstream_http_status',
    });
  peer.answer = () => undefined;
  expect(await idOf(caller('ann', asking))).toBe('s1');
});

test('a server that keeps no sessions is not asked for more', async () => {
  peer = scriptPeer({ keepsSessions: false });
  sessions = new UpstreamSessions(peer.upstream, clock);
  const loan = await sessions.lend(caller('ann', asking), true, signal);
  expect(loan.leg.hasSession).toBe(false);
  loan.giveBack(false);
  expect(peer.requests).toEqual([]);
});

test('when the upstream is closed the idle ones end, and those in use when they are given back', async () => {
  const [idle, used] = await Promise.all([1, 2].map(() => sessions.lend(caller('ann', asking), false, signal)));
  idle?.giveBack(true);
  await peer.close();
  expect(peer.ended()).toEqual(['s1']);
  used?.giveBack(true);
  await expect.poll(() => peer.ended()).toEqual(['s1', 's2']);
  await expect(sessions.lend(caller('ann', asking), false, signal)).rejects.toMatchObject({ code: 'channel_closed' });
  expect(clock.pending).toBe(0);
});
