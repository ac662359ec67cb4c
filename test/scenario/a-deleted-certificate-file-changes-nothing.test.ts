import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { expectLastGood } from '../support/last-good.ts';
import { startRotatingFiles } from '../support/rotating-files.ts';

const closing = closeAfterEach();

test.each([['client.crt'], ['client.key'], ['ca.pem']] as const)(
  'without %s the last good identity stays in force; once it is back, its new content is taken up',
  async (name) => {
    const files = await startRotatingFiles();
    closing.push(files.close);
    await rm(files.path(name));
    await expectLastGood(files, 'file_refused');
    await files.write({ ...(await files.issue('second')), 'ca.pem': files.ca.pem });
    await files.presenting('second');
    expect(await files.ended()).toMatchObject({ failed: [], twice: [] });
  },
);

test('the same holds when the whole folder goes and comes back', async () => {
  const files = await startRotatingFiles();
  closing.push(files.close);
  const folder = dirname(files.path('ca.pem'));
  await rm(folder, { recursive: true });
  await expectLastGood(files, 'file_refused');
  await mkdir(folder);
  await files.write({ ...(await files.issue('second')), 'ca.pem': files.ca.pem });
  await files.presenting('second');
  expect(await files.ended()).toMatchObject({ failed: [], twice: [] });
});
