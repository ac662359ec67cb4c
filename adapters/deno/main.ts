/** `postern` on Deno. */
import { runCli } from '../node-compat/cli/run-cli.ts';
import { DENO } from './runtime.ts';

await runCli(DENO);
