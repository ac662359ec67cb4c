import { expect, test } from 'vitest';
import { canonicalPin } from '../../../src/base/pin.ts';

const PIN = `${'/'.repeat(43)}=`;

test.each([
  [PIN, PIN],
  [`sha256/${PIN}`, PIN],
  [`sha256//${PIN}`, PIN],
  [`sha1/${PIN}`, undefined],
  [PIN.slice(1), undefined],
  [`${PIN}x`, undefined],
  ['', undefined],
])('%s is the pin %s', (text, pin) => expect(canonicalPin(text)).toBe(pin));
