import { expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { makeTrails, TextSink } from '../../support/audit-trail.ts';

const linesIn = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const eventsIn = (text: string): unknown[] => linesIn(text).map(({ event }) => event);
const saved = (server: string) => ['server.saved', { server }] as const;

// to reopen what has not moved waits for what was begun, and does nothing

test('lines are written in batches, behind a beginning and its anchor', async () => {
  const [trails, sink] = [await makeTrails(), new TextSink()];
  const trail = await trails.open(sink);
  trail.events(...saved('one'));
  trail.events('cache.used', { cache: 'context', outcome: 'hit' });
  trail.events(...saved('two'));
  expect(eventsIn(sink.text)).toEqual(['audit.begun', 'audit.anchor']);
  trails.clock.advance(250);
  await trail.reopen();
  expect(linesIn(sink.text).slice(2)).toMatchObject([
    { seq: 3, at: '2026-01-01T00:00:00.000Z', event: 'server.saved', server: 'one' },
    { seq: 4, event: 'server.saved', server: 'two' },
  ]);
  await trail.close();
  expect(linesIn(sink.text).at(-1)).toMatchObject({ event: 'audit.anchor', end: true });
  expect(await trails.verify(sink.text)).toMatchObject({ broken: undefined, notes: [], lines: 5, chains: 1 });
});

test('an anchor is made every thousand lines, and a minute after a line that is alone', async () => {
  const [trails, sink] = [await makeTrails(), new TextSink()];
  const trail = await trails.open(sink);
  for (let count = 0; count < 2500; count++) trail.events(...saved('one'));
  trails.clock.advance(250);
  await trail.reopen();
  const anchors = () => eventsIn(sink.text).filter((event) => event === 'audit.anchor').length;
  expect(anchors()).toBe(3);
  trails.clock.advance(60_000);
  await trail.reopen();
  expect(anchors()).toBe(4);
  trail.events(...saved('alone'));
  trails.clock.advance(250);
  await trail.reopen();
  expect(linesIn(sink.text).at(-1)).toMatchObject({ server: 'alone' });
  trail.events(...saved('in time'));
  trails.clock.advance(250);
  await trail.reopen();
  expect(linesIn(sink.text).at(-1)).toMatchObject({ server: 'in time' });
  trails.clock.advance(60_000);
  await trail.reopen();
  expect(anchors()).toBe(5);
  trails.clock.advance(600_000);
  await trail.reopen();
  expect(anchors()).toBe(5);
  expect((await trails.verify(sink.text)).broken).toBeUndefined();
});

test('what cannot be written waits, and is written once it can', async () => {
  const [trails, sink] = [await makeTrails(), new TextSink()];
  const trail = await trails.open(sink);
  sink.failing = true;
  trail.events(...saved('one'));
  trails.clock.advance(250);
  await trail.reopen();
  expect(trails.seen.of('audit.failed')).toEqual([{ code: 'audit_unavailable', message: 'the disk is full' }]);
  expect(trail.condition).toEqual({ code: 'audit_unavailable', since: '2026-01-01T00:00:00.250Z' });
  expect(() => trail.refuseUnrecorded()).not.toThrow();
  sink.failing = false;
  trails.clock.advance(1000);
  await trail.reopen();
  expect(trail.condition).toBeUndefined();
  expect(trails.seen.of('audit.recovered')).toEqual([{ failedMs: 1000 }]);
  await trail.close();
  expect(eventsIn(sink.text)).toContain('server.saved');
  expect((await trails.verify(sink.text)).broken).toBeUndefined();
});

test('what is left when the gateway stops is told to be gone', async () => {
  const [trails, sink] = [await makeTrails(), new TextSink()];
  const trail = await trails.open(sink);
  sink.failing = true;
  for (const name of ['one', 'two']) trail.events(...saved(name));
  trails.clock.advance(250);
  await trail.close();
  expect(trails.seen.of('audit.failed').at(-1)?.message).toBe('the disk is full; 2 are gone');
});

test('closed, nothing is let through meanwhile', async () => {
  const [trails, sink] = [await makeTrails(), new TextSink()];
  const trail = await trails.open(sink, true);
  trail.refuseUnrecorded();
  sink.failing = true;
  trail.events(...saved('one'));
  trails.clock.advance(250);
  await trail.reopen();
  expect(() => trail.refuseUnrecorded()).toThrow(GatewayError);
});

test('what finds no room is counted, and the next line says so', async () => {
  const [trails, sink] = [await makeTrails(), new TextSink()];
  const trail = await trails.open(sink);
  for (let count = 0; count < 20_007; count++) trail.events(...saved('one'));
  await trail.close();
  expect(linesIn(sink.text).filter(({ event }) => event === 'audit.lost')).toMatchObject([{ lost: 7 }]);
  expect(trail.counts.lost).toBe(7);
  expect(await trails.verify(sink.text)).toMatchObject({
    broken: undefined,
    notes: [{ what: '7 records found no room' }],
  });
});

test('a flood of what anybody can cause is counted', async () => {
  const [trails, sink] = [await makeTrails(), new TextSink()];
  const trail = await trails.open(sink);
  const refused = { code: 'unauthenticated', message: 'no', method: 'token', address: '192.0.2.1' } as const;
  for (let count = 0; count < 800; count++) trail.events('caller.refused', refused);
  trails.clock.advance(10_000);
  trail.events('caller.refused', refused);
  await trail.close();
  const events = eventsIn(sink.text);
  expect(events.filter((event) => event === 'caller.refused').length).toBe(501);
  expect(linesIn(sink.text)).toContainEqual(
    expect.objectContaining({ event: 'audit.omitted', of: 'caller.refused', omitted: 300 }),
  );
});

test('where the file was moved, the chain goes on in the next one', async () => {
  const [trails, sink] = [await makeTrails(), new TextSink()];
  const trail = await trails.open(sink);
  trail.events(...saved('one'));
  await trail.reopen();
  sink.moved = true;
  await trail.reopen();
  trail.events(...saved('two'));
  await trail.close();
  expect([eventsIn(sink.before).at(-1), eventsIn(sink.text)[0]]).toEqual(['audit.anchor', 'audit.anchor']);
  expect(await trails.verify(sink.before, sink.text)).toMatchObject({ broken: undefined, notes: [], chains: 1 });
  expect(await trails.verify(sink.text)).toMatchObject({
    broken: undefined,
    notes: [{ line: 1, what: 'it follows a line that is in none of these files' }],
  });
  expect((await trails.verify(sink.before)).broken?.what).toMatch(/the store knows line \d+/);
});

test('a torn line is named by the chain behind it', async () => {
  const [trails, sink] = [await makeTrails(), new TextSink()];
  const first = await trails.open(sink);
  first.events(...saved('one'));
  await first.close();
  sink.text += '{"seq":6,"at":"2026';
  expect((await trails.verify(sink.text)).notes).toMatchObject([
    { line: 5, what: expect.stringMatching(/torn/) as string },
  ]);
  const second = await trails.open(sink);
  await second.close();
  expect(linesIn(sink.text)).toContainEqual(
    expect.objectContaining({ event: 'audit.begun', torn: { bytes: 19, sha256: expect.any(String) as string } }),
  );
  const report = await trails.verify(sink.text);
  expect(report).toMatchObject({ broken: undefined, chains: 2, notes: [{ line: 5 }] });
});

test('who cuts the file under a running gateway is found out by the chain behind it', async () => {
  const [trails, sink] = [await makeTrails(), new TextSink()];
  const trail = await trails.open(sink);
  trail.events(...saved('one'));
  trails.clock.advance(250);
  await trail.reopen();
  sink.text = sink.text.slice(0, sink.text.indexOf('{"seq":3'));
  sink.failing = true;
  trail.events(...saved('two'));
  trails.clock.advance(250);
  await trail.reopen();
  sink.failing = false;
  await trail.close();
  expect((await trails.verify(sink.text)).broken).toMatchObject({
    line: 3,
    what: expect.stringMatching(/^line 3 of chain \S+ had been written before it, and is missing$/) as string,
  });
});
