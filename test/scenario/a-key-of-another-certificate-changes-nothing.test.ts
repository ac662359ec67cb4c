import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { expectLastGood } from '../support/last-good.ts';
import { startRotatingFiles } from '../support/rotating-files.ts';

const closing = closeAfterEach();

test('a certificate and a key that do not belong together are never presented; those that do are', async () => {
  const files = await startRotatingFiles();
  closing.push(files.close);
  const [one, other] = [await files.issue('one'), await files.issue('other')];
  await files.write({ ...one, 'client.key': other['client.key'] });
  await expectLastGood(files, 'key_mismatch');
  await files.write(other);
  await files.presenting('other');
  const subjects = files.upstream.requests.map(({ clientSubject }) => clientSubject);
  expect(subjects).not.toContain('one');
  expect(await files.ended()).toMatchObject({ failed: [], twice: [] });
});
