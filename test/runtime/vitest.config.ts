/** The contracts, and those tests of ours that prove something about a runtime, run by the runtime that runs vitest. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

const subject = process.env['POSTERN_TEST_RUNTIME'] ?? 'node';

export default defineConfig({
  root: resolve(import.meta.dirname, '../..'),
  resolve: { alias: { '#runtime': resolve(import.meta.dirname, `subjects/${subject}.ts`) } },
  test: {
    include: [
      'test/contract/*.test.ts',
      'test/unit/{store,vault,pki,tls,identity}/**/*.test.ts',
      'test/unit/node-compat/{callers,caller-connections,web-sockets}.test.ts',
      'test/unit/identity-proxy/*.test.ts',
      'test/scenario/identity-headers-{of-strangers,in-frames}-are-not-believed.test.ts',
      'test/scenario/serve-speaks-http1-and-http2.test.ts',
    ],
    // about real servers of others and how they fail, so one runtime shows it for all
    exclude: ['test/contract/storage-outages.test.ts', 'test/unit/store/listening-refused.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // a fresh worker for each file takes half of the time on Deno and Bun, and these files leave nothing behind
    isolate: subject === 'node',
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // vitest's processes need more of child_process than Bun has
    pool: subject === 'bun' ? 'threads' : 'forks',
  },
});
