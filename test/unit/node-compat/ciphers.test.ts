import { expect, test } from 'vitest';
import { checkCiphers } from '../../../adapters/node-compat/listener/ciphers.ts';
import { DENO } from '../../../adapters/deno/runtime.ts';
import { NODE } from '../../../adapters/node/runtime.ts';
import { parseConfig } from '../../../src/config.ts';

const settings = (POSTERN_TLS_CIPHERS: string) =>
  parseConfig({ environment: { CERT_FILE: 'x.pem', POSTERN_TLS_CIPHERS } }).values;

test('suites the TLS library has are taken where the listener honours them', () => {
  expect(() => checkCiphers(settings('ECDHE-RSA-AES256-GCM-SHA384:TLS_AES_256_GCM_SHA384'), NODE)).not.toThrow();
  expect(() => checkCiphers(parseConfig({}).values, DENO)).not.toThrow();
});

test.each([
  ['RC4-MD5', NODE, 'config_invalid', 'the TLS library knows no RC4-MD5'],
  ['HIGH', NODE, 'config_invalid', 'knows no HIGH'],
  ['TLS_AES_256_GCM_SHA384', DENO, 'capability_unsupported', 'Deno cannot honour POSTERN_TLS_CIPHERS (ciphers)'],
] as const)('%s is refused', (names, runtime, code, message) => {
  const check = () => checkCiphers(settings(names), runtime);
  expect(check).toThrow(message);
  expect(check).toThrow(expect.objectContaining({ code }));
});
