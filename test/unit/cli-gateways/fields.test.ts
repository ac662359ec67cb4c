import { expect, test } from 'vitest';
import { UsageError } from '../../../adapters/node-compat/cli/arguments.ts';
import { bodyOf } from '../../../adapters/node-compat/cli/gateways/fields.ts';

const flags = (given: Readonly<Record<string, string | readonly string[] | boolean>>) => ({
  flags: given,
  positionals: [],
});

const IO = { cwd: '/', env: { TOKEN: 'ours' } };

test('flags become the fields of the REST API, with what follows from them', async () => {
  const given = flags({ 'refresh-interval': '60', pin: ['a', 'b'], 'no-verify': true, 'basic-user': 'ann' });
  expect(await bodyOf(given, IO, ['prefix'])).toEqual({
    refreshIntervalSeconds: 60,
    pins: ['a', 'b'],
    verify: false,
    authType: 'basic',
    authUsername: 'ann',
    prefix: null,
  });
});

test.each(['soon', '', '-1', '1.5', '0x10'])('an interval of «%s» is refused, and clears nothing', async (interval) => {
  await expect(bodyOf(flags({ 'refresh-interval': interval }), IO)).rejects.toBeInstanceOf(UsageError);
});

test('only flags of fields can be cleared', async () => {
  await expect(bodyOf(flags({}), IO, ['caCertificate'])).rejects.toThrow('caCertificate');
});

test('a program is given by its command, arguments and variables; a name alone takes ours over', async () => {
  const given = flags({ command: 'npx', arg: ['-y', 'a b'], env: ['A=1=2', 'EMPTY=', 'TOKEN'], cwd: '/srv' });
  expect(await bodyOf(given, IO)).toEqual({
    transport: 'STDIO',
    command: 'npx',
    args: ['-y', 'a b'],
    env: { A: '1=2', EMPTY: '', TOKEN: 'ours' },
    cwd: '/srv',
  });
  await expect(bodyOf(flags({ env: ['UNSET'] }), IO)).rejects.toThrow('UNSET');
  await expect(bodyOf(flags({ env: ['=x'] }), IO)).rejects.toBeInstanceOf(UsageError);
});
