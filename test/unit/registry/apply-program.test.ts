import { expect, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { applyProgram, refuseAddressFields, refuseProgramFields } from '../../../src/registry/apply-program.ts';
import { MASK } from '../../../src/registry/field-schema.ts';

const [one, two] = [new Secret('1'), new Secret('2')];
const stored = { command: 'npx', args: ['-y', 'x'], env: { A: one, B: two }, cwd: '/srv' };

test('absent keeps, null clears, a value replaces; of the environment the whole', () => {
  expect(applyProgram(stored, {})).toEqual(stored);
  expect(applyProgram(stored, { args: null, env: null, cwd: null })).toEqual({
    command: 'npx',
    args: [],
    env: {},
    cwd: undefined,
  });
  const three = new Secret('3');
  expect(applyProgram(stored, { env: { A: MASK, C: three } }).env).toEqual({ A: one, C: three });
});

test('the mask keeps what is stored, and nothing else', () => {
  for (const name of ['C', 'constructor', '__proto__'])
    expect(() => applyProgram(stored, { env: Object.fromEntries([[name, MASK]]) })).toThrow(
      expect.objectContaining({ code: 'request_invalid' }),
    );
});

test.each(['./x', 'bin/x', '..', '.', 'a\\b'])(
  'the command %s means another file in another folder, so it is refused',
  (command) => {
    expect(() => applyProgram(undefined, { command })).toThrow(expect.objectContaining({ code: 'config_invalid' }));
  },
);

test.each(['/usr/bin/x', 'C:\\x.exe', '\\\\host\\share\\x.exe', 'npx', 'a b'])('the command %s is taken', (command) => {
  expect(applyProgram(undefined, { command }).command).toBe(command);
});

test('a command is needed, a folder is absolute', () => {
  expect(() => applyProgram(undefined, { args: ['x'] })).toThrow('needs a command');
  expect(() => applyProgram(stored, { command: null })).toThrow('needs a command');
  expect(() => applyProgram(stored, { cwd: 'srv' })).toThrow('expected cwd as an absolute path, met srv');
});

test.each([
  'LD_PRELOAD',
  'ld_preload',
  'DYLD_INSERT_LIBRARIES',
  'NODE_OPTIONS',
  'BASH_ENV',
  'JAVA_TOOL_OPTIONS',
  // each of these runs a command, without any file on the machine
  'SHELLOPTS',
  'PS4',
  'PYTHONWARNINGS',
  'PERL5DB',
  'LUA_INIT_5_4',
  'PYTHONPATH',
])('%s would load other code into the program', (name) => {
  expect(() => applyProgram(stored, { env: { [name]: one } })).toThrow(name);
});

test('what says nothing of a program may be sent back, what would not happen is refused', () => {
  const inert = { verify: true, checkHostname: true, minTlsVersion: 'TLSv1.2', pins: [], authType: 'none' } as const;
  expect(() => refuseAddressFields({ ...inert, url: null, caMode: null, passthroughHeaders: [] })).not.toThrow();
  for (const fields of [
    { url: 'http://x/' },
    { verify: false },
    { minTlsVersion: 'TLSv1.3' },
    { pins: ['x'] },
  ] as const)
    expect(() => refuseAddressFields(fields)).toThrow(expect.objectContaining({ code: 'config_invalid' }));
  expect(() => refuseProgramFields({ command: null, args: null })).not.toThrow();
  expect(() => refuseProgramFields({ cwd: '/' })).toThrow('cwd');
});
