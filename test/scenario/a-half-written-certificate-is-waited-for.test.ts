import { appendFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { expectLastGood } from '../support/last-good.ts';
import { startRotatingFiles } from '../support/rotating-files.ts';

const closing = closeAfterEach();

test('half a certificate leaves the last good one in force; once the rest is there, it is presented', async () => {
  const files = await startRotatingFiles();
  closing.push(files.close);
  const { 'client.crt': chain, 'client.key': key } = await files.issue('second');
  const half = Math.floor(chain.length / 2);
  await files.write({ 'client.crt': chain.slice(0, half), 'client.key': key });
  await expectLastGood(files, 'certificate_unreadable');
  await appendFile(files.path('client.crt'), chain.slice(half));
  await files.presenting('second');
  expect(await files.ended()).toMatchObject({ failed: [], twice: [] });
});

test('a file that was emptied and not written yet leaves the last good one in force as well', async () => {
  const files = await startRotatingFiles();
  closing.push(files.close);
  await files.write({ 'client.key': '' });
  await expectLastGood(files, 'key_unreadable');
  await files.write(await files.issue('second'));
  await files.presenting('second');
  expect(await files.ended()).toMatchObject({ failed: [], twice: [] });
});
