import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { parseJsonc } from '../../../src/import/jsonc.ts';

test('comments, trailing commas and a byte order mark are passed over', () => {
  const text = `\uFEFF// by hand
{
  "url": "https://example.com/a//b", /* not a comment: */ "glob": "/* **/*.ts */",
  "list": [1, 2, /* three */ ], // the end,
  "quote\\"": {"a": ",}",},
}
// nothing more`;
  expect(parseJsonc(text)).toEqual({
    url: 'https://example.com/a//b',
    glob: '/* **/*.ts */',
    list: [1, 2],
    'quote"': { a: ',}' },
  });
});

test('whatever JSON says is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(parseJsonc(text)).toEqual(JSON.parse(text));
    }),
  );
});

test('comments and commas may stand wherever blanks may', () => {
  const noise = fc.constantFrom(' ', '\n', '// "x", }\n', '/* ] */', '\t/* \\" */ ');
  fc.assert(
    fc.property(fc.jsonValue(), noise, noise, (value, first, second) => {
      const text = JSON.stringify(value, null, 1).replaceAll(/\n\s*(?=[\]}])/g, `${first},${second}`);
      const isNested = typeof value === 'object' && value !== null && Object.keys(value).length > 0;
      expect(parseJsonc(first + (isNested ? text : JSON.stringify(value)) + second)).toEqual(
        JSON.parse(JSON.stringify(value)),
      );
    }),
  );
});

test.each(['', '{', '{"a": canary}', '{"a": "canary', '/* canary', '{"a" "canary"}', 'canary: yes'])(
  '«%s» is refused, and not quoted',
  (text) => {
    expect.assertions(3);
    try {
      parseJsonc(text);
    } catch (error) {
      expect(error).toBeInstanceOf(GatewayError);
      expect([(error as GatewayError).code, (error as GatewayError).cause]).toEqual(['import_unreadable', undefined]);
      expect(`${String(error)}${JSON.stringify(error)}`).not.toContain('canary');
    }
  },
);

test('megabytes of quotes, commas and comments are read in time', () => {
  for (const piece of ['/* ', '"\\"', '1,', '"\\n'])
    expect(() => parseJsonc(piece.repeat(300_000))).toThrow('expected JSON');
  expect(parseJsonc(`"${'\\n'.repeat(1_000_000)}"`)).toHaveLength(1_000_000);
}, 5000);
