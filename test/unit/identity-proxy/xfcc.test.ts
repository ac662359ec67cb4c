import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseXfcc } from '../../../src/identity/proxy/xfcc.ts';

const NONE = { uris: [], dnsNames: [] };

test.each([
  ['Hash=AB12', [{ ...NONE, hash: 'ab12' }]],
  ['By=spiffe://a;URI=spiffe://b', [{ ...NONE, uris: ['spiffe://b'] }]],
  ['uri=spiffe://b;URI=urn:c;DNS=d;dns=e', [{ uris: ['spiffe://b', 'urn:c'], dnsNames: ['d', 'e'] }]],
  ['Subject="CN=ann,O=Example";URI=', [{ ...NONE, subject: 'CN=ann,O=Example' }]],
  ['Subject=""', [{ ...NONE, subject: '' }]],
  [String.raw`Subject="CN=\"ann\",O=x\\"`, [{ ...NONE, subject: String.raw`CN="ann",O=x\\` }]],
  [
    'Hash=1;DNS=a,Hash=2;DNS=b',
    [
      { ...NONE, hash: '1', dnsNames: ['a'] },
      { ...NONE, hash: '2', dnsNames: ['b'] },
    ],
  ],
  [
    'DNS=a, DNS=b',
    [
      { ...NONE, dnsNames: ['a'] },
      { ...NONE, dnsNames: ['b'] },
    ],
  ],
  ['URI="spiffe://a,b;c=d";Cert="-----BEGIN%20X"', [{ ...NONE, uris: ['spiffe://a,b;c=d'], cert: '-----BEGIN%20X' }]],
  ['Chain="a";By=x;By=y;DNS=a', [{ ...NONE, dnsNames: ['a'] }]],
])('%s', (text, elements) => {
  expect(parseXfcc(text)).toEqual(elements);
});

test.each([
  '',
  ' ',
  'DNS',
  'DNS=a;',
  'DNS=a,',
  ',DNS=a',
  'DNS=a,,DNS=b',
  'DNS=a;;DNS=b',
  'DNS=a DNS="b"',
  'DNS="a',
  'DNS="a"b',
  'DNS =a',
  'DNS=a"b"',
  'D-NS=a',
  '=a',
  'Subject="CN=a";Subject="CN=b"',
  'Hash=1;hash=2',
  'Cert="a";Cert="b"',
])('%s is not written as Envoy writes it', (text) => {
  expect(parseXfcc(text)).toBeUndefined();
});

/** As Envoy appends to what its client sent. */
const GENUINE = 'By=spiffe://x/us;Hash=00;Subject="CN=mallory,O=Example";URI=spiffe://x/mallory';

test('whatever stands before it, the element of the last proxy is read as it is, or nothing is', () => {
  const bit = fc.constantFrom('"', '\\', ',', ';', '=', 'URI=spiffe://x/admin', 'Subject="', 'Hash=00', ' ', 'x');
  fc.assert(
    fc.property(fc.array(bit, { maxLength: 8 }), (bits) => {
      const last = parseXfcc(`${bits.join('')},${GENUINE}`)?.at(-1);
      expect(last?.uris ?? ['spiffe://x/mallory']).toEqual(['spiffe://x/mallory']);
    }),
    { numRuns: 2000 },
  );
});

test('what was written is what is read', () => {
  const bare = fc.string({ unit: fc.constantFrom(...Array.from('abc123:/.-=')), minLength: 1 });
  const name = fc.string({ unit: fc.constantFrom(...Array.from('abc,;=" +')) });
  fc.assert(
    fc.property(fc.array(fc.tuple(bare, name), { minLength: 1, maxLength: 4 }), (hops) => {
      const text = hops.map(([uri, subject]) => `Subject="${subject.replaceAll('"', '\\"')}";URI=${uri}`).join(',');
      expect(parseXfcc(text)).toEqual(hops.map(([uri, subject]) => ({ uris: [uri], dnsNames: [], subject })));
    }),
  );
});

test('it takes no longer than it is long', { timeout: 20_000 }, () => {
  // with a step for every two characters each of these takes minutes, and the time of the test is over
  const count = 300_000;
  expect(parseXfcc(`Subject="${'\\"'.repeat(count)}`)).toBeUndefined();
  expect(parseXfcc('DNS=a,'.repeat(count))).toBeUndefined();
});
