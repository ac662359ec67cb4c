import { expect, test } from 'vitest';
import { sourceFiles } from './source-tree.ts';

const product = sourceFiles('src', 'adapters');
const everything = [...product, ...sourceFiles('test', 'bench')];

test('no file is longer than 400 lines', () => {
  const long = everything.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }));
  expect(long.filter(({ lines }) => lines > 400)).toEqual([]);
});

/** What loads these looks for a default export. */
const ENTRIES = new Set(['test/runtime/vitest.config.ts', 'adapters/deno/serve.ts', 'adapters/cloudflare/worker.ts']);
const isEntry = (path: string): boolean =>
  ENTRIES.has(path) || /^(?:test\/runtime\/workerd|bench\/runtimes)\/\w+-worker\.ts$/.test(path);

test('exports are named, one by one', () => {
  const broken = everything.filter(({ code }) => /^export (?:default\b|\*|\{[^}]*\bas default\b)/m.test(code));
  expect(broken.map(({ path }) => path).filter((path) => !isEntry(path))).toEqual([]);
});

test('nothing is left for later', () => {
  const marks = /\b(?:[T]ODO|[F]IXME|[X]XX)\b/;
  expect(everything.filter(({ text }) => marks.test(text)).map(({ path }) => path)).toEqual([]);
});

test('no test is skipped or run alone', () => {
  const marks = /\b(?:test|it|describe)\s*\.\s*(?:skip|only|todo|runIf|skipIf|fails)\b/;
  const broken = everything.filter(({ path, code }) => path.startsWith('test/') && marks.test(code));
  expect(broken.map(({ path }) => path)).toEqual([]);
});

test('each exported function says what it does', () => {
  const broken = product.flatMap(({ path, text }) => {
    const lines = text.split('\n');
    return lines.flatMap((line, index) => {
      const name = /^export (?:async )?function\*? ?(\w+)/.exec(line)?.[1];
      if (name === undefined) return [];
      const before = lines[index - 1] ?? '';
      const documented = before.endsWith('*/') || before.startsWith(`export function ${name}(`);
      return documented ? [] : [`${path}:${index + 1} ${name}`];
    });
  });
  expect(broken).toEqual([]);
});
