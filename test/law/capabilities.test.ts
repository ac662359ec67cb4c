/** adapters/README.md says what each adapter declares; that what is declared is so, the contracts show on the runtimes. */
import { expect, test } from 'vitest';
import { BUN } from '../../adapters/bun/runtime.ts';
import { CLOUDFLARE } from '../../adapters/cloudflare/runtime.ts';
import { DENO } from '../../adapters/deno/runtime.ts';
import { NODE } from '../../adapters/node/runtime.ts';
import { readText } from './source-tree.ts';

const ADAPTERS = [NODE, DENO, BUN, CLOUDFLARE];
const PARTS = ['dialer', 'listener'] as const;

/** The table of a section: capability -> what each adapter says of it, in the order of the columns. */
function tableIn(section: string): Record<string, string[]> {
  const rows = section.matchAll(/^\| `(\w+)` *\|(.+)\|$/gm);
  const cellsOf = (row: string) => row.split('|').map((cell) => cell.trim());
  return Object.fromEntries([...rows].map(([, name = '', row = '']) => [name, cellsOf(row).slice(1)]));
}

const shown = (value: unknown): string => (value === true ? 'yes' : value === false ? 'no' : String(value));

test.each(PARTS)('the table of the %s says what is declared', (part) => {
  const [, section = ''] = readText('adapters/README.md').split(`## The ${part}`);
  const [table = ''] = section.split('\n## ');
  const declared = Object.keys(NODE[part]).map((name) => [
    name,
    ADAPTERS.map((adapter) => shown((adapter[part] as unknown as Record<string, unknown>)[name])),
  ]);
  expect(tableIn(table)).toEqual(Object.fromEntries(declared));
});
