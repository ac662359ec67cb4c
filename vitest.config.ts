import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // the contracts run on other runtimes too: test/runtime
  resolve: { alias: { '#runtime': join(import.meta.dirname, 'test/runtime/subjects/node.ts') } },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/soak/**', '**/node_modules/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // the default leaves one core to vitest itself, which idles while tests wait for processes and sockets
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // tests start the command line dozens of times; with its code compiled once, each start takes half the CPU
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/node') },
  },
});
