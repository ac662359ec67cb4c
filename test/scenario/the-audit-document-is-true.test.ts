/** docs/audit.md: what it says to type does what it says, and its tables are those of the code. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { AUDITED } from '../../src/audit/audited.ts';
import { fencesOf, rowsOf, sectionOf } from '../support/markdown.ts';
import { runPostern, servePostern } from '../support/postern.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const document = readFileSync(resolve(import.meta.dirname, '../../docs/audit.md'), 'utf8');

test('the commands that are shown make a trail and find it whole, also while the gateway runs', async () => {
  const [start, verify] = fencesOf(document).map(({ text }) => text.trimEnd().split('\n'));
  const [, name = '', value = ''] = /^export (\w+)=(.*)$/.exec(start?.[0] ?? '') ?? [];
  expect([start?.[1], verify?.length]).toEqual(['postern serve', 1]);
  const args = (verify?.[0] ?? '').split(' ').slice(1);
  const shown = /It prints `([^`]+)`/.exec(document)?.[1] ?? '';
  const printed = new RegExp(`^${shown.replaceAll(/\d+ (\w+?)s?\b/g, '\\d+ $1s?')}$`, 'm');
  const folder = await makeTempFolder();
  const postern = await servePostern([], { cwd: folder.path, env: { [name]: value } });
  try {
    expect(await runPostern(args, { cwd: folder.path })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(printed) as string,
    });
  } finally {
    await postern.kill();
    await folder.remove();
  }
});

test('every event that is recorded has a row', () => {
  const named = rowsOf(sectionOf(document, 'A line')).flatMap(
    ([events = '']) => events.match(/[a-z_]+\.[a-z_]+/g) ?? [],
  );
  const own = ['audit.begun', 'audit.anchor', 'audit.lost', 'audit.omitted'];
  expect(named.toSorted()).toEqual([...Object.keys(AUDITED), ...own].toSorted());
});
