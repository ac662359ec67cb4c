import { expect, test } from 'vitest';
import { NOT_ASKED, verdictsOf } from '../../../src/upstream/probe-eras.ts';

const spoken = { supportedVersions: ['2026-07-28'], capabilities: {} };
const refused = { status: 400, undecided: false, rpcCode: undefined };
const open = { status: 503, undecided: true, rpcCode: undefined };

test('a verdict has the date of the answer that gave it', () => {
  const earlier = { probedAt: { modern: 'then', legacy: 'then' } };
  expect(verdictsOf({ modern: refused, legacy: spoken }, 'now', earlier)).toEqual({ modern: 'now', legacy: 'now' });
  expect(verdictsOf({ modern: open, legacy: spoken }, 'now', earlier)).toEqual({ modern: 'then', legacy: 'now' });
  expect(verdictsOf({ modern: open, legacy: spoken }, 'now', undefined)).toEqual({ modern: 'now', legacy: 'now' });
  expect(verdictsOf({ modern: NOT_ASKED, legacy: spoken }, 'now', earlier)).toEqual({ legacy: 'now' });
});
