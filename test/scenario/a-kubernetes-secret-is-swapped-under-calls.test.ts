import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { writeVolume } from '../support/kubernetes-volume.ts';
import { expectLastGood } from '../support/last-good.ts';
import { startRotatingFiles } from '../support/rotating-files.ts';

const closing = closeAfterEach();

test('a volume that Kubernetes updates is presented at each update, and never in part', async () => {
  const files = await startRotatingFiles({ lay: writeVolume });
  closing.push(files.close);
  for (const cn of ['second', 'third', 'fourth']) {
    await files.write({ ...(await files.issue(cn)), 'ca.pem': files.ca.pem });
    await files.presenting(cn);
  }
  expect(files.gateway.countOf('record.refused')).toBe(0);
  expect(await files.ended()).toMatchObject({ failed: [], twice: [] });
});

test('an update that cannot be used leaves the last good one in force, the next is taken up', async () => {
  const files = await startRotatingFiles({ lay: writeVolume });
  closing.push(files.close);
  await files.write({ ...(await files.issue('second')), 'client.crt': 'broken', 'ca.pem': files.ca.pem });
  await expectLastGood(files, 'certificate_unreadable');
  await files.write({ ...(await files.issue('third')), 'ca.pem': files.ca.pem });
  await files.presenting('third');
  expect(await files.ended()).toMatchObject({ failed: [], twice: [] });
});
