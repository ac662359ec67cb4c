import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { expectLastGood } from '../support/last-good.ts';
import { startRotatingFiles } from '../support/rotating-files.ts';

const closing = closeAfterEach();

test.each([
  ['text', 'ca_unreadable', () => 'this is no bundle'],
  ['a bundle broken in its second certificate', 'ca_unreadable', (pem: string) => pem + pem.replace('MII', '!!!')],
])(
  '%s leaves the last good CA bundle in force; a good one is taken up without a signal',
  async (_name, code, broken) => {
    const files = await startRotatingFiles();
    closing.push(files.close);
    await files.write({ 'ca.pem': broken(files.ca.pem) });
    await expectLastGood(files, code);
    await files.write({ ...(await files.issue('second')), 'ca.pem': files.ca.pem });
    await files.presenting('second');
    expect(await files.ended()).toMatchObject({ failed: [], twice: [] });
  },
);
