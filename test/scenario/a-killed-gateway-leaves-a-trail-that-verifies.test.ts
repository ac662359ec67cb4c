/** `kill -9` in the middle of calls: what was written is whole, a torn line is named, and the next start goes on behind it. */
import { appendFile, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../adapters/node-compat/clock.ts';
import { Secret } from '../../src/base/secret.ts';
import { parseConfig } from '../../src/config.ts';
import { importTokenKey, mintToken } from '../../src/identity/token.ts';
import { verifyIn } from '../support/audit-command.ts';
import { closeAfterEach } from '../support/closing.ts';
import { servePostern } from '../support/postern.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const closing = closeAfterEach();

test('kill -9 during calls, a torn line, a new start and logrotate', async () => {
  const folder = await makeTempFolder();
  closing.push(() => folder.remove());
  const JWT_SECRET_KEY = crypto.randomUUID() + crypto.randomUUID();
  const options = { cwd: folder.path, env: { JWT_SECRET_KEY, POSTERN_AUDIT: 'file:audit.ndjson' } };
  const file = join(folder.path, 'audit.ndjson');
  const linesIn = async () => (await readFile(file, 'utf8')).split('\n').length;
  const verify = (...files: readonly string[]) => verifyIn(folder.path, ...files);

  const killed = await servePostern([], options);
  closing.push(() => killed.kill());
  const { values } = parseConfig({ environment: { JWT_SECRET_KEY } });
  const key = await importTokenKey({ ...values, jwtSecretKey: new Secret(JWT_SECRET_KEY) });
  const token = await mintToken({ subject: 'ann', role: 'user', ttlSeconds: 600 }, key, systemClock);
  const over = new AbortController();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: '*/*' };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  const calling = Promise.all(
    Array.from({ length: 4 }, async () => {
      while (!over.signal.aborted)
        await fetch(`${killed.url}/mcp`, { method: 'POST', headers, body }).catch(() => undefined);
    }),
  );
  await until(async () => (await linesIn()) > 200);
  await killed.kill();
  over.abort();
  await calling;
  const left = await verify('audit.ndjson');
  expect(left.stdout).toMatch(/^note: .*the chain has no end: its gateway runs, or was ended by force\nwhole: /m);
  expect(left.code).toBe(0);

  // one write takes a batch, so a line is torn by a lost disk rather than by a signal
  await appendFile(file, '{"seq":9999,"at":"20');
  const torn = await verify('audit.ndjson');
  expect([torn.code, torn.stdout]).toEqual([0, expect.stringMatching(/line \d+: the line is torn: .*\(20 bytes\)/)]);

  const next = await servePostern([], options);
  closing.push(() => next.kill());
  await rename(file, join(folder.path, 'audit.1.ndjson'));
  next.signal('SIGHUP');
  await until(() =>
    linesIn().then(
      () => true,
      () => false,
    ),
  );
  next.signal('SIGTERM');
  expect(await next.exited).toBe(0);
  const whole = await verify('audit.1.ndjson', 'audit.ndjson');
  expect([whole.code, whole.stdout]).toEqual([0, expect.stringMatching(/the next one says so\nwhole: .* 2 chains/)]);
  const moved = await verify('audit.1.ndjson');
  expect([moved.code, moved.stdout]).toEqual([1, expect.stringMatching(/is in a file that was not given/)]);
}, 30_000);
