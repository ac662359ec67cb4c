import { expect, test } from 'vitest';
import { noFindings } from '../../../src/import/imported-entry.ts';
import { fill, hide } from '../../../src/import/variables.ts';
import { variablesOf } from '../../support/imports.ts';
import type { Given } from '../../support/imports.ts';

const GIVEN: Given = {
  environment: { TOKEN: 't0ken', EMPTY: '' },
  inputs: { pat: 'p4t' },
  folders: { workspaceFolder: '/project', userHome: '/home/ann' },
};

function filled(template: string, given: Given = GIVEN) {
  const findings = noFindings();
  const { text, sources } = fill(template, variablesOf(given), findings);
  return { text, sources, problems: findings.problems.map(({ kind, name }) => `${kind} ${name}`) };
}

test.each([
  ['plain', 'plain', []],
  ['Bearer ${TOKEN}', 'Bearer t0ken', ['$TOKEN']],
  ['${env:TOKEN}', 't0ken', ['$TOKEN']],
  ['${input:pat}/${TOKEN}', 'p4t/t0ken', ['the input pat', '$TOKEN']],
  ['${TOKEN:-other}', 't0ken', ['$TOKEN']],
  ['${NONE:-other}', 'other', []],
  ['${EMPTY:-other}', 'other', []],
  ['${NONE:-}', '', []],
  ['${NONE:-https://a:1/b}', 'https://a:1/b', []],
  ['${env:NONE:-x}', 'x', []],
  ['${workspaceFolder}/bin', '/project/bin', ['${workspaceFolder}']],
  ['${userHome}', '/home/ann', ['${userHome}']],
  ['$TOKEN and {TOKEN}', '$TOKEN and {TOKEN}', []],
])('%s becomes %s', (template, text, sources) => {
  expect(filled(template)).toEqual({ text, sources, problems: [] });
});

test.each([
  ['${NONE}', ['variable NONE']],
  ['${EMPTY}', ['variable EMPTY']],
  ['${env:NONE}', ['variable NONE']],
  ['${input:other}', ['input other']],
  ['${A}${B}${A}', ['variable A', 'variable B']],
  ['${command:pick}', ['variable command:pick']],
  ['${config:x.y}', ['variable config:x.y']],
  ['${file}', ['variable file']],
  ['${no such}', ['variable no such']],
])('%s has no value, which is said once', (template, problems) => {
  expect(filled(template)).toMatchObject({ text: undefined, problems });
});

test('a folder nobody knows can be given as an input', () => {
  expect(filled('${workspaceFolder}', {}).problems).toEqual(['input workspaceFolder']);
  expect(filled('${workspaceFolder}', { inputs: { workspaceFolder: '/here' } }).text).toBe('/here');
});

test('only names that stand in the file are looked up', () => {
  const asked: string[] = [];
  const environment = (name: string) => void asked.push(name);
  fill('${A} ${env:B} ${input:c} $D ${userHome}', { ...variablesOf(), environment }, noFindings());
  expect(asked).toEqual(['A', 'B']);
});

test('what is hidden says where it comes from, and prints as that', () => {
  const findings = noFindings();
  const hidden = hide(fill('${TOKEN}', variablesOf(GIVEN), findings));
  expect([hidden.reveal(), String(hidden), JSON.stringify({ hidden })]).toEqual([
    't0ken',
    'from $TOKEN',
    '{"hidden":"from $TOKEN"}',
  ]);
  expect(String(hide(fill('literal', variablesOf(GIVEN), findings)))).toBe('*****');
});
