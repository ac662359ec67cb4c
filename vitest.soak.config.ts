import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** `npm run test:soak`: one file after the other, since they measure. */
export default defineConfig({
  resolve: { alias: { '#runtime': join(import.meta.dirname, 'test/runtime/subjects/node.ts') } },
  test: {
    include: ['test/soak/*.soak.ts'],
    testTimeout: 900_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 1,
    execArgv: ['--expose-gc'],
  },
});
