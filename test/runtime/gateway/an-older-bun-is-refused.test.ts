/** Bun that may show one upstream's certificate to another is told by what it does not have yet. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPostern } from '../../support/postern.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { RUNTIMES } from '../programs.ts';

test('it starts nothing, and is named', async () => {
  const folder = await makeTempFolder();
  const older = join(folder.path, 'older.ts');
  await writeFile(older, "Object.defineProperty(Bun, 'FetchSession', { value: undefined });");
  const main = new URL('../../../adapters/bun/main.ts', import.meta.url).pathname;
  const options = { cwd: folder.path, command: [RUNTIMES.bun, '--preload', older, main] };
  const { code, stdout, stderr } = await runPostern(['serve', '--port', '0'], options);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/expected Bun 1\.4\.3 or newer, met [\d.]+ \(capability_unsupported\)/);
  await folder.remove();
});
