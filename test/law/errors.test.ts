import { expect, test } from 'vitest';
import { ERRORS } from '../../src/base/errors.ts';
import { readText, sourceFiles } from './source-tree.ts';

const codes = Object.keys(ERRORS);
const files = sourceFiles('src', 'adapters').filter(({ path }) => path !== 'src/base/errors.ts');

test('docs/errors.md has a row for each code, in the order and with the facts of the table', () => {
  const documented = [
    ...readText('docs/errors.md').matchAll(/^\| `([a-z_]+)` \| (\w+) \| (\w+) \| (yes|no) \| \S.*\|$/gm),
  ];
  expect(documented.map(([, code, actor, stage, retryable]) => [code, actor, stage, retryable])).toEqual(
    Object.entries(ERRORS).map(([code, facts]) => [code, facts.actor, facts.stage, facts.retryable ? 'yes' : 'no']),
  );
});

test('every code of the table is used', () => {
  const unused = codes.filter((code) => !files.some((file) => new RegExp(`['"]${code}['"]`).test(file.code)));
  expect(unused).toEqual([]);
});

test('every code named by @throws is in the table', () => {
  const unknown = files.flatMap(({ path, text }) =>
    [...text.matchAll(/@throws (?:\{?GatewayError\}?)([\s\S]*?)(?=\n?\s*\*?\s*(?:@|\*\/))/g)]
      .flatMap(([, sentence = '']) => sentence.match(/\b[a-z]+(?:_[a-z]+)+\b/g) ?? [])
      .filter((code) => !codes.includes(code))
      .map((code) => `${path} ${code}`),
  );
  expect(unknown).toEqual([]);
});
