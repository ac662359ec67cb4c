import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { expectLastGood } from '../support/last-good.ts';
import { startRotatingFiles } from '../support/rotating-files.ts';

const closing = closeAfterEach();

test('a broken certificate leaves the last good one in force; a good one is presented without a signal', async () => {
  const files = await startRotatingFiles();
  closing.push(files.close);
  await files.write({ 'client.crt': 'this is no certificate' });
  await expectLastGood(files, 'certificate_unreadable');
  await files.write(await files.issue('second'));
  await files.presenting('second');
  expect(await files.ended()).toMatchObject({ failed: [], twice: [] });
});
