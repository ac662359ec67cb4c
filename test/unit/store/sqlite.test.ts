import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openSqlite } from '../../../adapters/node-compat/storage/sqlite.ts';
import { storedText } from '../../support/stored-text.ts';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-sqlite-'));
  path = join(directory, 'data', 'postern.db');
});
afterEach(() => rm(directory, { recursive: true }));

const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8);

test('its files are for their owner only', async () => {
  const storage = await openSqlite(path);
  await storage.commit([{ key: 'meta:a', value: '{}' }]);
  const modes = await Promise.all([join(directory, 'data'), path, `${path}-wal`, `${path}-shm`].map(modeOf));
  expect(modes).toEqual(['700', '600', '600', '600']);
  await storage.close();
});

test('a database that was copied with a wider mode is narrowed', async () => {
  await (await openSqlite(path)).close();
  await chmod(path, 0o644);
  const storage = await openSqlite(path);
  expect(await Promise.all([path, `${path}-wal`, `${path}-shm`].map(modeOf))).toEqual(['600', '600', '600']);
  await storage.close();
});

test('a file that is no database is refused and left as it is', async () => {
  const other = join(directory, 'notes.txt');
  await writeFile(other, 'dear diary '.repeat(500), { mode: 0o644 });
  await expect(openSqlite(other)).rejects.toMatchObject({
    code: 'store_unavailable',
    message: /file is not a database/,
  });
  await expect(openSqlite(directory)).rejects.toMatchObject({ code: 'store_unavailable' });
  expect([await modeOf(other), await modeOf(directory)]).toEqual(['644', '700']);
});

test('it keeps a write-ahead log', async () => {
  const storage = await openSqlite(path);
  const reader = new DatabaseSync(path);
  expect(reader.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  reader.close();
  await storage.close();
});

test('opening it says nothing on the console', async () => {
  const warn = vi.spyOn(console, 'warn');
  await (await openSqlite(path)).close();
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
});

test('a commit waits for another process that is writing, without blocking this one', async () => {
  const storage = await openSqlite(path);
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  let turns = 0;
  const turning = setInterval(() => {
    // the write lock is let go by this process itself, so a commit that blocked it would never see it free
    if (++turns === 3) other.exec('COMMIT');
  }, 1);
  expect(await storage.commit([{ key: 'meta:a', value: '{}' }])).toBe(true);
  clearInterval(turning);
  expect(turns).toBeGreaterThanOrEqual(3);
  expect(await storage.driver.getItem('meta:a')).toBe('{}');
  other.close();
  await storage.close();
});

test('kill -9 in a stream of commits leaves whole commits, and every one that was acknowledged', async () => {
  const script = new URL('../../support/commit-stream.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, `sqlite:${path}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let acknowledged = 0;
  for await (const line of createInterface(child.stdout)) {
    acknowledged = Number(line);
    if (acknowledged === 100) child.kill('SIGKILL');
  }
  expect(await exited).toEqual([null, 'SIGKILL']);

  const storage = await openSqlite(path);
  const [left, right] = await Promise.all(['gateway:left', 'gateway:right'].map((key) => storedText(storage, key)));
  expect(left).toBe(right);
  const { n } = JSON.parse(left ?? '');
  expect(n).toBeGreaterThanOrEqual(acknowledged);
  expect(await storage.commit([{ key: 'gateway:left', value: '{}' }])).toBe(true);
  const reader = new DatabaseSync(path);
  expect(reader.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  reader.close();
  await storage.close();
});
