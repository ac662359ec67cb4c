import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LiveCallerRules, pinFileOf, readPins } from '../../../adapters/node-compat/listener/caller-rules.ts';
import { parseConfig } from '../../../src/config.ts';
import { mintPki } from '../../support/pki.ts';
import type { MintedCa } from '../../support/pki.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

const PIN = `${'a'.repeat(43)}=`;
const OTHER = `${'b'.repeat(43)}=`;
let folder: Awaited<ReturnType<typeof makeTempFolder>>;
let ours: MintedCa;
let partners: MintedCa;
beforeAll(async () => {
  folder = await makeTempFolder();
  const pki = await mintPki();
  [ours, partners] = [await pki.ca('Ours'), await pki.ca('Partners CA')];
});
afterAll(() => folder.remove());

async function write(name: string, text: string): Promise<string> {
  const path = join(folder.path, name);
  await writeFile(path, text);
  return path;
}

const settings = (environment: Readonly<Record<string, string>>) => parseConfig({ environment }).values;

test('pins are in the setting or in a file, one a line', async () => {
  const inline = settings({ POSTERN_CLIENT_PINS: `sha256/${PIN}, ${OTHER}` });
  expect([await readPins(inline), pinFileOf(inline)]).toEqual([[PIN, OTHER], undefined]);
  const path = await write('pins', `# callers\nsha256/${PIN} # ann\n\n${OTHER}\n`);
  const named = settings({ POSTERN_CLIENT_PINS: path });
  expect([await readPins(named), pinFileOf(named)]).toEqual([[PIN, OTHER], path]);
  expect([await readPins(settings({})), pinFileOf(settings({}))]).toEqual([[], undefined]);
});

test.each(['', '# nobody\n', `${PIN}\nann\n`])('a file of pins that holds %j is refused', async (text) => {
  const path = await write('wrong-pins', text);
  await expect(readPins(settings({ POSTERN_CLIENT_PINS: path }))).rejects.toMatchObject({
    code: 'pin_invalid',
    message: expect.stringContaining('wrong-pins: expected a pin'),
  });
});

test('rules about an authority that is not there keep the gateway from starting', async () => {
  const CA_CERTS = await write('ours.pem', ours.pem);
  const behind = { TRUST_PROXY_AUTH: 'true', POSTERN_CLIENT_SUBJECT: 'Partners CA/dns, cn' };
  const refusal = {
    code: 'config_invalid',
    message: expect.stringContaining('the authority Partners CA, which is not'),
  };
  await expect(LiveCallerRules.open(settings({ ...behind, CA_CERTS }))).rejects.toMatchObject(refusal);
  await expect(LiveCallerRules.open(settings(behind))).rejects.toMatchObject(refusal);
});

test('an authority may go whatever rules name it, and none may come in its place', async () => {
  const CA_CERTS = await write('both.pem', ours.pem + partners.pem);
  const names = { TRUST_PROXY_AUTH: 'true', POSTERN_CLIENT_SUBJECT: 'Partners CA/dns, cn' };
  const live = await LiveCallerRules.open(settings({ ...names, CA_CERTS }));
  const first = live.current();
  expect(live.use(await live.read())).toBe(false);
  expect(live.current()).toBe(first);
  const renamed = await (await mintPki()).ca('Partners of today');
  await write('both.pem', ours.pem + renamed.pem);
  await expect(live.read()).rejects.toMatchObject({ code: 'config_invalid' });
  await write('both.pem', ours.pem);
  expect(live.use(await live.read())).toBe(true);
  expect(live.current().anchors.map(({ facts }) => facts.subject)).toEqual(['CN=Ours']);
});
