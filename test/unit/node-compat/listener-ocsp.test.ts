import { expect, test } from 'vitest';
import { BUN } from '../../../adapters/bun/runtime.ts';
import { DENO } from '../../../adapters/deno/runtime.ts';
import { requireStapling } from '../../../adapters/node-compat/listener/ocsp.ts';
import { NODE } from '../../../adapters/node/runtime.ts';
import { parseConfig } from '../../../src/config.ts';

const valuesOf = (POSTERN_OCSP_STAPLING: string) => parseConfig({ environment: { POSTERN_OCSP_STAPLING } }).values;

test('stapling is refused by its name where no server asks for a status', () => {
  for (const runtime of [DENO, BUN])
    expect(() => requireStapling(valuesOf('true'), runtime)).toThrow(
      `${runtime.name} cannot honour POSTERN_OCSP_STAPLING (staple)`,
    );
  expect(() => requireStapling(valuesOf('true'), NODE)).not.toThrow();
  expect(() => requireStapling(valuesOf('false'), DENO)).not.toThrow();
});
