import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { leaveGhost } from '../support/ghost-instance.ts';
import { runPostern, servePostern } from '../support/postern.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const closing = closeAfterEach();

test('the gateway that runs over it comes to the generation, and the lapsed do not count', async () => {
  const folder = await makeTempFolder();
  closing.push(folder.remove);
  const { path: cwd } = folder;
  const run = (...args: readonly string[]) => runPostern(args, { cwd });
  expect(await run('rotate', '--status')).toMatchObject({
    code: 0,
    stdout: 'no generation was written yet\nno instance runs over this store\n',
  });
  const alone = { code: 0, stderr: 'no instance runs over this store\n' };
  expect(await run('rotate')).toMatchObject({ ...alone, stdout: 'generation 1 is written\n' });
  expect(await run('rotate', '--wait')).toMatchObject({ ...alone, stdout: '' });

  await leaveGhost(join(cwd, 'data'), 'ghost:1', 60_000);
  const postern = await servePostern([], { cwd, env: { POSTERN_POLL_INTERVAL: '1' } });
  closing.push(() => postern.kill());
  const waited = await run('rotate', '--wait');
  expect(waited).toMatchObject({ code: 0, stderr: 'ghost:1 is not counted: it has said nothing for 15 s or more\n' });
  expect(waited.stdout).toMatch(new RegExp(`^${hostname()}:${postern.pid} {2}current {2}generation 3 {2}\\S+\n$`));
  expect((await run('gateways', 'add', 'x', 'http://127.0.0.1:9/mcp', '--no-connect')).stderr).toContain(
    'takes this over by itself within seconds',
  );
  const health = async () => ((await (await fetch(postern.health)).json()) as { gateways: number }).gateways;
  await until(async () => (await health()) === 1);
});
