import { expect, test } from 'vitest';
import { BUN } from '../../../adapters/bun/runtime.ts';
import { DENO } from '../../../adapters/deno/runtime.ts';
import { requireStapling } from '../../../adapters/node-compat/listener/ocsp.ts';
import { NODE } from '../../../adapters/node/runtime.ts';
import { parseConfig } from '../../../src/config.ts';

const valuesOf = (POSTERN_OCSP: string) => parseConfig({ environment: { POSTERN_OCSP } }).values;

test('stapling is refused by its name where no server asks for a status', () => {
  for (const runtime of [DENO, BUN])
    expect(() => requireStapling(valuesOf('callers,staple'), runtime)).toThrow(
      `${runtime.name} cannot honour staple in POSTERN_OCSP (staple)`,
    );
  expect(() => requireStapling(valuesOf('callers,staple'), NODE)).not.toThrow();
  expect(() => requireStapling(valuesOf('callers'), DENO)).not.toThrow();
});
