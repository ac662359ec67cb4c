/** The contracts, and the core's own tests that ask nothing of the machine, run by the runtime that runs vitest. */
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

const subject = process.env['POSTERN_TEST_RUNTIME'] ?? 'node';

export default defineConfig({
  root: resolve(import.meta.dirname, '../..'),
  resolve: { alias: { '#runtime': resolve(import.meta.dirname, `subjects/${subject}.ts`) } },
  test: {
    include: ['test/contract/*.test.ts', 'test/unit/{base,wire,store,vault,pki,tls,identity,policy}/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // vitest's processes need more of child_process than Bun has
    pool: subject === 'bun' ? 'threads' : 'forks',
  },
});
