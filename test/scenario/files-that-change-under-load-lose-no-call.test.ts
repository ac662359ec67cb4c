import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { startRotatingFiles } from '../support/rotating-files.ts';

const closing = closeAfterEach();
const ROTATIONS = 10;
const CALLERS = 32;

test(`${ROTATIONS} times new files under ${CALLERS} callers: no call fails and none is sent twice`, async () => {
  const files = await startRotatingFiles({ callers: CALLERS });
  closing.push(files.close);
  for (let rotation = 1; rotation <= ROTATIONS; rotation++) {
    const cn = `client-${rotation}`;
    const keyType = rotation % 2 === 0 ? 'rsa2048' : 'ec-p256';
    await files.write(await files.issue(cn, { keyType }));
    await files.presenting(cn);
    await files.served(100);
  }
  const { answered, failed, twice } = await files.ended();
  expect({ failed, twice }).toEqual({ failed: [], twice: [] });
  expect(answered).toBeGreaterThan(ROTATIONS * 100);
});
