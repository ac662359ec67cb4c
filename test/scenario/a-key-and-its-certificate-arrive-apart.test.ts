import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { expectLastGood } from '../support/last-good.ts';
import { startRotatingFiles } from '../support/rotating-files.ts';

const closing = closeAfterEach();

test.each([
  ['the key', 'client.key', 'client.crt'],
  ['the certificate', 'client.crt', 'client.key'],
] as const)(
  '%s comes first, long before the other: until then the last good pair serves',
  async (_name, one, other) => {
    const files = await startRotatingFiles();
    closing.push(files.close);
    const second = await files.issue('second');
    await files.write({ [one]: second[one] });
    await expectLastGood(files, 'key_mismatch');
    await files.write({ [other]: second[other] });
    await files.presenting('second');
    expect(await files.ended()).toMatchObject({ failed: [], twice: [] });
  },
);

test('a pair that is written in one go is taken up in one go', async () => {
  const files = await startRotatingFiles();
  closing.push(files.close);
  await files.write(await files.issue('second'));
  await files.presenting('second');
  expect(files.gateway.countOf('record.refused')).toBe(0);
  expect(await files.ended()).toMatchObject({ failed: [], twice: [] });
});
