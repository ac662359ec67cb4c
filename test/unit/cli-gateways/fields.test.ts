import { expect, test } from 'vitest';
import { UsageError } from '../../../adapters/node/cli/arguments.ts';
import { bodyOf } from '../../../adapters/node/cli/gateways/fields.ts';

const flags = (given: Readonly<Record<string, string | readonly string[] | boolean>>) => ({
  flags: given,
  positionals: [],
});

test('flags become the fields of the REST API, with what follows from them', async () => {
  const given = flags({ 'refresh-interval': '60', pin: ['a', 'b'], 'no-verify': true, 'basic-user': 'ann' });
  expect(await bodyOf(given, '/', ['prefix'])).toEqual({
    refreshIntervalSeconds: 60,
    pins: ['a', 'b'],
    verify: false,
    authType: 'basic',
    authUsername: 'ann',
    prefix: null,
  });
});

test.each(['soon', '', '-1', '1.5', '0x10'])('an interval of «%s» is refused, and clears nothing', async (interval) => {
  await expect(bodyOf(flags({ 'refresh-interval': interval }), '/')).rejects.toBeInstanceOf(UsageError);
});

test('only flags of fields can be cleared', async () => {
  await expect(bodyOf(flags({}), '/', ['caCertificate'])).rejects.toThrow('caCertificate');
});
