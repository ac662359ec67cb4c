import { expect, test } from 'vitest';
import { meetDemand } from '../../../src/http/mcp/certificate-demand.ts';
import { mintPrincipal } from '../../../src/identity/principal.ts';
import type { PrincipalFacts } from '../../../src/identity/principal.ts';

const incoming = { request: new Request('http://localhost/mcp') };
const by = (method: PrincipalFacts['method']) => mintPrincipal({ subject: 'ann', role: 'user', method });

function outcome(
  clientAuth: 'none' | 'optional' | 'required' | undefined,
  method: PrincipalFacts['method'],
  shown: boolean,
) {
  try {
    return meetDemand({ clientAuth }, by(method), incoming, () => shown) ?? 'fine';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test.each([
  [undefined, 'token', false, 'fine'],
  ['optional', 'token', false, 'fine'],
  ['optional', 'certificate', true, 'fine'],
  ['required', 'token', false, 'forbidden'],
  ['required', 'token', true, 'fine'],
  ['required', 'certificate', true, 'fine'],
  ['required', 'proxy', true, 'fine'],
  ['required', 'open', false, 'forbidden'],
  ['none', 'token', true, 'fine'],
  ['none', 'certificate', true, 'unauthenticated'],
  ['none', 'proxy', true, 'unauthenticated'],
  ['none', 'open', false, 'fine'],
] as const)('%s, a caller by %s, shown %s: %s', (mode, method, shown, expected) =>
  expect(outcome(mode, method, shown)).toBe(expected),
);

test('what takes time is waited for', async () => {
  const later = (isShown: boolean) =>
    meetDemand({ clientAuth: 'required' }, by('token'), incoming, () => Promise.resolve(isShown));
  await expect(later(true)).resolves.toBeUndefined();
  await expect(later(false)).rejects.toMatchObject({ code: 'forbidden' });
});
