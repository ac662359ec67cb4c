import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isInNetwork, parseNetwork } from '../../../src/base/networks.ts';

const holds = (network: string, address: string): boolean | undefined => {
  const parsed = parseNetwork(network);
  return parsed && isInNetwork(address, parsed);
};

test.each([
  ['127.0.0.0/8', '127.0.0.1'],
  ['127.0.0.0/8', '127.255.255.255'],
  ['10.1.2.3', '10.1.2.3'],
  ['10.1.2.0/23', '10.1.3.255'],
  ['10.1.2.3', '::ffff:10.1.2.3'],
  ['10.1.2.3', '::ffff:a01:203'],
  ['::1', '0:0:0:0:0:0:0:1'],
  ['fd00::/8', 'fdab:cdef::1'],
  ['2001:db8::/33', '2001:db8:7fff::'],
  ['2001:db8::192.0.2.1', '2001:db8::c000:201'],
])('%s holds %s', (network, address) => {
  expect(holds(network, address)).toBe(true);
});

test.each([
  ['127.0.0.0/8', '128.0.0.1'],
  ['10.1.2.0/23', '10.1.4.0'],
  ['2001:db8::/33', '2001:db8:8000::'],
  ['::1', '127.0.0.1'],
  ['::7f00:1', '127.0.0.1'],
  ['127.0.0.1', '127.0.0.1 '],
  ['127.0.0.1', '127.0.0.01'],
  ['127.0.0.1', '2130706433'],
  ['127.0.0.1', ''],
  ['fe80::1', 'fe80::1%eth0'],
])('%s does not hold %s', (network, address) => {
  expect(holds(network, address)).toBe(false);
});

test.each([
  '',
  '/8',
  'localhost',
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  '10.0.0.1/8',
  '0.0.0.0/0',
  '::/0',
  '::/129',
  'fd00::1/8',
  '10.0.0',
  '10.0.0.0.0',
  '10.0.0.256',
  '010.0.0.1',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1::2::3',
  '1:2:3:4:5:6:7::8:9',
  ':::',
  ':1',
  '12345::',
  'g::',
  '::1.2.3',
  '::1.2.3.4:5',
])('%s is no network', (text) => {
  expect(parseNetwork(text)).toBeUndefined();
});

test('a network holds an address when it agrees in the bits of the prefix, and then only', () => {
  const byte = fc.integer({ min: 0, max: 255 });
  const four = fc.tuple(byte, byte, byte, byte);
  const numberOf = (bytes: readonly number[]) => bytes.reduce((sum, next) => sum * 256 + next, 0);
  fc.assert(
    fc.property(four, four, fc.integer({ min: 1, max: 32 }), (left, right, bits) => {
      const block = 2 ** (32 - bits);
      const start = Math.floor(numberOf(left) / block) * block;
      const first = [24, 16, 8, 0].map((shift) => Math.floor(start / 2 ** shift) % 256).join('.');
      const isIn = Math.floor(numberOf(right) / block) * block === start;
      expect(holds(`${first}/${bits}`, right.join('.'))).toBe(isIn);
      expect(holds(`${first}/${bits}`, left.join('.'))).toBe(true);
    }),
  );
});

test('what no program would write is no network either, whatever it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef:./ ')) }), (text) => {
      const network = parseNetwork(text);
      expect(network === undefined || [4, 16].includes(network.first.length)).toBe(true);
    }),
  );
});
