/** `postern` on Deno. */
import process from 'node:process';
import { missingPermissions } from './required-permissions.ts';

const missing = missingPermissions();
if (missing.length > 0) {
  process.stderr.write(
    `postern: Deno was started without ${missing.join(', ')}; docs/runtimes.md lists what it takes\n`,
  );
  process.exit(1);
}
// only now: what this loads asks for them
const [{ runCli }, { DENO }] = await Promise.all([import('../node-compat/cli/run-cli.ts'), import('./runtime.ts')]);
await runCli(DENO);
