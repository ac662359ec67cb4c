/** What docs/import.md shows is done as it stands there. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { fencesOf } from '../support/markdown.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import { openShell } from '../support/shell.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const closing = closeAfterEach();

test('the commands of docs/import.md do what it says, in a folder of their own', async () => {
  const folder = await makeTempFolder();
  closing.push(folder.remove);
  const [warehouse, issues] = [await startMcpUpstream(), await startMcpUpstream()];
  closing.push(
    () => warehouse.close(),
    () => issues.close(),
  );
  warehouse.intercept = ({ headers }) =>
    headers.authorization === 'Bearer s3cret' ? undefined : new Response(null, { status: 401 });
  const addresses = {
    'https://warehouse.example.com/mcp': warehouse.url,
    'https://issues.example.com/mcp': issues.url,
  };
  const here = (text: string) =>
    Object.entries(addresses).reduce((all, [shown, real]) => all.replaceAll(shown, real), text);
  const shown = (text: string) =>
    Object.entries(addresses).reduce((all, [name, real]) => all.replaceAll(real, name), text);

  await writeFile(join(folder.path, 'postern'), `#!/bin/sh\nexec node ${ROOT}/adapters/node/main.ts "$@"\n`);
  await chmod(join(folder.path, 'postern'), 0o755);
  const shell = openShell(folder.path, { PATH: `${folder.path}:${process.env['PATH']}` });

  const outputs: string[] = [];
  for (const { language, text } of fencesOf(await readFile(join(ROOT, 'docs/import.md'), 'utf8'))) {
    if (language === 'json') await writeFile(join(folder.path, 'claude.json'), here(text));
    // 2 is no mistake of the shell
    else if (language === 'sh') outputs.push(shown(await shell.run(`${here(text).trim()} || test $? = 2`)));
    else expect(`${outputs.at(-1)}`).toContain(text);
  }
  expect(outputs).toHaveLength(4);
  expect(outputs[1]).toContain('3 entries of mcpServers: 3 imported');
  expect(outputs[3]).toContain('3 entries of export of Postern: 3 imported');
  expect(outputs.join('')).not.toContain('s3cret');
}, 60_000);

test('a dry run makes no data directory, and a file may come from standard input', async () => {
  const folder = await makeTempFolder();
  closing.push(folder.remove);
  const shell = openShell(folder.path);
  const postern = `node ${ROOT}/adapters/node/main.ts`;
  const file = '{"mcpServers":{"a":{"url":"https://example.com/mcp"}}}';
  const run = (command: string) => shell.run(`echo '${file}' | ${postern} ${command}; ls`);
  expect(await run('import - --dry-run')).toMatch(
    /1 entry of mcpServers: 1 imported \(dry run: nothing was changed\)\n$/,
  );
  expect(await run('import - --no-connect')).toMatch(/1 entry of mcpServers: 1 imported\ndata\n$/);
  expect(await run('import - --dry-run')).toContain('1 unchanged');
  expect(await shell.run(`${postern} export | ${postern} import - --dry-run --data-dir elsewhere; ls`)).toMatch(
    /1 entry of export of Postern: 1 imported \(dry run: nothing was changed\)\ndata\n$/,
  );
});
