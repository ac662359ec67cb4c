import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createAddressGuard } from '../../../adapters/node-compat/dialer/address-guard.ts';

const REFUSED = [
  '169.254.169.254',
  '169.254.0.1',
  '100.100.100.200',
  '192.0.0.192',
  'fe80::1',
  'febf::1',
  'fd00:ec2::254',
  'fd20:ce::254',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:1',
  '::ffff:100.100.100.200',
  '64:ff9b::169.254.169.254',
  '168.63.129.16',
  '::ffff:168.63.129.16',
  '::169.254.169.254',
  '::ffff:0:169.254.169.254',
  '64:ff9b:1::169.254.169.254',
  '64:ff9b::168.63.129.16',
  '2002:a9fe:a9fe::1',
  '2002:a83f:8110::',
  // each way of IPv6 to write each of them
  ...['169.254.7.9', '100.100.100.200', '168.63.129.16', '192.0.0.192'].flatMap((address) =>
    ['::', '::ffff:', '::ffff:0:', '64:ff9b::', '64:ff9b:1::'].map((prefix) => prefix + address),
  ),
  '2002:6464:64c8:1::',
  '2002:c000:c0::1',
];
const ALLOWED = [
  '127.0.0.1',
  '10.0.0.1',
  '192.168.1.1',
  '169.253.255.255',
  '100.64.0.1',
  '::1',
  'fd00::1',
  'fec0::1',
  '2002:a00:1::1',
  '::10.0.0.1',
  '64:ff9b::169.253.255.255',
];

/** A resolver that answers with what it is told, in the form `dns.lookup` does for `all`. */
function guardAnswering(...addresses: string[]) {
  const found: LookupAddress[] = addresses.map((address) => ({ address, family: isIP(address) }));
  type Resolve = NonNullable<Parameters<typeof createAddressGuard>[0]>;
  const resolve = ((_host: string, _options: object, done: (error: null, found: LookupAddress[]) => void) =>
    done(null, found)) as unknown as Resolve;
  return createAddressGuard(resolve);
}

function lookUp(guard: ReturnType<typeof createAddressGuard>, all: boolean): Promise<unknown> {
  return new Promise((resolve, reject) => {
    guard.lookup('mcp.example', { all }, (error, address) => (error ? reject(error) : resolve(address)));
  });
}

describe('literals', () => {
  test.each(REFUSED)('%s is refused', (address) => {
    expect(createAddressGuard().refuseLiteral(address)).toMatchObject({ code: 'address_refused' });
  });

  test.each([...ALLOWED, 'localhost', 'mcp.example'])('%s is not', (host) => {
    expect(createAddressGuard().refuseLiteral(host)).toBeUndefined();
  });

  test.each(['http://2852039166/', 'http://0xa9.254.169.254/', 'http://[::ffff:169.254.169.254]/'])(
    'disguised as %s it is refused as well',
    (url) => {
      const host = new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
      expect(createAddressGuard().refuseLiteral(host)).toMatchObject({ code: 'address_refused' });
    },
  );
});

describe('after DNS', () => {
  test.each([true, false])('one refused answer among others refuses the name (all: %s)', async (all) => {
    for (const address of REFUSED)
      await expect(lookUp(guardAnswering('127.0.0.1', address), all)).rejects.toMatchObject({
        code: 'address_refused',
      });
  });

  test('other answers are passed on in the form asked for', async () => {
    const guard = guardAnswering('127.0.0.1', '::1');
    expect(await lookUp(guard, false)).toBe('127.0.0.1');
    expect(await lookUp(guard, true)).toEqual([
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ]);
  });

  test('no answer is a name without address', async () => {
    await expect(lookUp(guardAnswering(), true)).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });
});
