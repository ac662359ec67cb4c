import { expect, test } from 'vitest';
import { callerAddress, networkOf } from '../../../src/limits/caller-address.ts';

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '20010db800010002'],
  ['2001:db8:1:2::', '20010db800010002'],
  ['fe80::1%eth0', 'fe80000000000000'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['no:address', undefined],
])('%s is counted under %s', (address, network) => expect(networkOf(address)).toBe(network));

const connection = { address: '10.0.0.1' };
const from = (forwarded?: string) =>
  callerAddress(new Headers(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }), connection);

test.each([
  [undefined, '10.0.0.1'],
  ['192.0.2.7', '192.0.2.7'],
  // only what the proxy itself saw counts, not what it was told
  ['198.51.100.1, 192.0.2.7', '192.0.2.7'],
  ['192.0.2.7:1234', '192.0.2.7'],
  ['[2001:db8::7]:1234', '2001:db8::7'],
  ['2001:db8::7', '2001:db8::7'],
  ['unknown', '10.0.0.1'],
  ['198.51.100.1,', '10.0.0.1'],
])('with X-Forwarded-For %s the caller is at %s', (forwarded, address) => expect(from(forwarded)).toBe(address));
