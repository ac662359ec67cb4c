import { resolve } from 'node:path';
import { commandLine } from '../load/stage.ts';
import type { Platform } from '../load/stage.ts';
import { startProgram } from '../load/worker.ts';
import { RUNTIMES } from '../../test/runtime/programs.ts';
import { denoPermissions } from '../../test/support/runtime-gateway.ts';
import { workers } from './workers.ts';

const built = (adapter: string): string => resolve(import.meta.dirname, `../../dist/adapters/${adapter}/main.js`);
const relay = (path: string): string => resolve(import.meta.dirname, path);

const onNode = (node: string): Platform => ({
  startPostern: commandLine([node, built('node')]),
  startRelay: () => startProgram([node, relay('../load/relay.ts')]),
});

/** The built product on each runtime, and the least a relay with mutual TLS can be there. */
export const PLATFORMS: Readonly<Record<string, Platform>> = {
  'Node 26': onNode(RUNTIMES.node),
  'Node 22': onNode(RUNTIMES.node22),
  Deno: {
    startPostern: commandLine([RUNTIMES.deno, 'run', ...denoPermissions(), built('deno')]),
    startRelay: () => startProgram([RUNTIMES.deno, 'run', '--allow-all', relay('../load/relay.ts')]),
  },
  Bun: {
    startPostern: commandLine([RUNTIMES.bun, built('bun')]),
    startRelay: () => startProgram([RUNTIMES.bun, relay('bun-relay.ts')]),
  },
  // by the modules Postern stands on
  'Bun beside undici': {
    startPostern: commandLine([RUNTIMES.bun, built('bun')]),
    startRelay: () => startProgram([RUNTIMES.bun, relay('../load/relay.ts')]),
  },
  workerd: workers,
};
