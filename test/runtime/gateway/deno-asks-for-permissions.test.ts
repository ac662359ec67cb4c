/** Deno that lacks a permission its Node modules need would hang, or say something else. */
import { expect, test } from 'vitest';
import { runPostern } from '../../support/postern.ts';
import { denoPermissions } from '../../support/runtime-gateway.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { RUNTIMES } from '../programs.ts';

test.each(['--allow-env', '--allow-sys=hostname', '--allow-sys=uid'])('without %s nothing starts', async (flag) => {
  const folder = await makeTempFolder();
  const given = denoPermissions().map((permission) =>
    permission.startsWith('--allow-sys=') ? '--allow-sys=hostname,uid' : permission,
  );
  const [kind, name] = flag.split('=');
  const left = given.flatMap((permission) => {
    if (permission.split('=')[0] !== kind) return permission;
    const others = permission.slice(permission.indexOf('=') + 1).split(',');
    return name === undefined ? [] : `${kind}=${others.filter((other) => other !== name).join(',')}`;
  });
  const main = new URL('../../../adapters/deno/main.ts', import.meta.url).pathname;
  const command = [RUNTIMES.deno, 'run', '--no-prompt', ...left, main];
  const { code, stdout, stderr } = await runPostern(['serve', '--port', '0'], { cwd: folder.path, command });
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain(`started without ${flag};`);
  await folder.remove();
});
