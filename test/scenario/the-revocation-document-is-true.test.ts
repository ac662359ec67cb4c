/** What docs/revocation.md shows starts a gateway, which does what the document says of it. */
import { readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { derOfPem } from '../../src/pki/pem.ts';
import { closeAfterEach } from '../support/closing.ts';
import { fencesOf } from '../support/markdown.ts';
import { startOcspResponder } from '../support/ocsp-responder.ts';
import { mintPki } from '../support/pki.ts';
import { openShell } from '../support/shell.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const closing = closeAfterEach();
const commands = fencesOf(readFileSync(join(ROOT, 'docs/revocation.md'), 'utf8'));

test('every command of docs/revocation.md starts a gateway that looks where it says', async () => {
  const folder = await makeTempFolder();
  closing.push(folder.remove);
  const cwd = folder.path;
  const ca = await (await mintPki()).ca('CA');
  const responder = await startOcspResponder(ca);
  closing.push(() => responder.close());
  responder.put('/callers.crl', derOfPem(await ca.crl([])));
  const { certPem, keyPem } = await responder.issue({ cn: 'localhost', dns: ['localhost'] });
  await writeFile(join(cwd, 'server.pem'), certPem + ca.pem + keyPem, { mode: 0o600 });
  await writeFile(join(cwd, 'callers.pem'), ca.pem);
  await writeFile(join(cwd, 'postern'), `#!/bin/sh\nexec ${process.execPath} ${ROOT}/adapters/node/main.ts "$@"\n`);
  await chmod(join(cwd, 'postern'), 0o755);
  const shell = openShell(cwd, { PATH: `${cwd}:${process.env['PATH']}`, PORT: '0', POSTERN_HEALTH_PORT: '0' });
  const asked: string[][] = [];
  for (const { language, text } of commands) {
    expect(language).toBe('bash');
    const before = responder.asked.length;
    const line = text.replace('http://pki.example.com', responder.url);
    const started = await shell.start(line, (printed) => printed.includes('"event":"ready"'));
    asked.push(responder.asked.slice(before).map((path) => path.replace(/(?<=^\/ocsp\/).*/, '…')));
    await started.interrupt();
  }
  expect(asked).toEqual([['/callers.crl'], [], ['/ocsp/…']]);
}, 30_000);
