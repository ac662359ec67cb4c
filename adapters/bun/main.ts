/** `postern` on Bun. */
import { runCli } from '../node-compat/cli/run-cli.ts';
import { BUN } from './runtime.ts';

await runCli(BUN);
