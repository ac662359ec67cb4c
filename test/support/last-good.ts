import { expect } from 'vitest';
import type { RotatingFiles } from './rotating-files.ts';

/** Files that were refused with `code` are told of, and calls and new connections go on as `cn`. */
export async function expectLastGood(files: RotatingFiles, code: string, cn = 'first'): Promise<void> {
  await files.refused(code);
  expect(await files.view()).toMatchObject({
    status: 'refused',
    reachable: true,
    health: { status: 'failing' },
    tls: { clientCertificate: { subject: `CN=${cn}` } },
  });
  const reported = files.gateway.events.filter(({ name }) => name === 'record.refused');
  expect(reported.at(-1)?.fields).toMatchObject({ record: expect.stringMatching(/^gateway:/), code });
  expect(await files.served()).toEqual([cn]);
  expect(await files.check()).toMatchObject({ ok: true, presented: { subject: `CN=${cn}` } });
}
