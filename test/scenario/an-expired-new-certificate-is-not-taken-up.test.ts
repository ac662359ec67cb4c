import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { expectLastGood } from '../support/last-good.ts';
import { startRotatingFiles } from '../support/rotating-files.ts';

const closing = closeAfterEach();

const HOUR_MS = 3_600_000;

test.each([
  ['expired', 'certificate_expired', { notBefore: new Date(0), notAfter: new Date(Date.now() - HOUR_MS) }],
  ['not yet valid', 'certificate_not_yet_valid', { notBefore: new Date(Date.now() + HOUR_MS) }],
])('a new certificate that is %s leaves the last good one in force', async (_name, code, validity) => {
  const files = await startRotatingFiles();
  closing.push(files.close);
  await files.write(await files.issue('useless', validity));
  await expectLastGood(files, code);
  await files.write(await files.issue('second'));
  await files.presenting('second');
  expect(await files.ended()).toMatchObject({ failed: [], twice: [] });
});
