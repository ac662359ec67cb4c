import { expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { EventQueue } from '../../../src/upstream/event-queue.ts';

function queue() {
  const seen: string[] = [];
  const events = new EventQueue(
    () => seen.push('released'),
    (failure) => seen.push(failure?.code ?? 'ended'),
  );
  return { events, seen };
}

test('events arrive as a body, and the end is told once', async () => {
  const { events, seen } = queue();
  events.push('{}');
  events.end();
  events.end();
  events.push('late');
  expect(await events.response({}).text(100)).toBe('event: message\ndata: {}\n\n');
  expect(seen).toEqual(['released', 'ended']);
});

test('a failure reaches reader and observer', async () => {
  const { events, seen } = queue();
  events.fail(new GatewayError('connection_lost', 'gone'));
  await expect(events.response({}).text(100)).rejects.toMatchObject({ code: 'connection_lost' });
  expect(seen).toEqual(['released', 'connection_lost']);
});

test('a reader who leaves releases the queue', async () => {
  const { events, seen } = queue();
  await events.response({}).stream().cancel();
  events.push('{}');
  expect(seen).toEqual(['released', 'ended']);
});

test('a queue given up is released without an end: it was no response yet', () => {
  const { events, seen } = queue();
  events.abandon();
  expect(seen).toEqual(['released']);
});

test('nobody may leave more than 16 MiB unread', () => {
  const { events, seen } = queue();
  const megabyte = 'x'.repeat(1024 * 1024);
  for (let index = 0; index < 17; index++) events.push(megabyte);
  expect(seen).toEqual(['released', 'upstream_too_large']);
});
