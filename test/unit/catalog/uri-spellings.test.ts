import { expect, test } from 'vitest';
import { spellingsOf } from '../../../src/catalog/uri-spellings.ts';

test.each([
  ['plain', 'test://text', ['test://text']],
  ['capitals', 'FILE:///Etc', ['FILE:///Etc', 'file:///Etc']],
  ['dots', 'file:///a/../b/./c', ['file:///a/../b/./c', 'file:///b/c']],
  ['escapes', 'x://a/%62%2Fc', ['x://a/%62%2Fc', 'x://a/b/c']],
  ['escaped dots behind an escaped slash', 'x://a/b%2f..%2fc', ['x://a/b%2f..%2fc', 'x://a/c']],
  ['slashes', 'file:////etc//passwd', ['file:////etc//passwd', 'file:///etc/passwd']],
  ['no text', 'x://a/%ff', ['x://a/%ff', 'x://a/%EF%BF%BD']],
  ['no URI', 'just text', ['just text']],
  ['no URI, with escapes', '%6aust', ['%6aust', 'just']],
])('%s', (_name, uri, spellings) => {
  expect(spellingsOf(uri)).toEqual(spellings);
});
