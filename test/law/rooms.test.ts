/** Keeps the room table of ARCHITECTURE.md true. To change an arrow, change the table. */
import { expect, test } from 'vitest';
import { readText, sourceFiles } from './source-tree.ts';
import type { SourceFile } from './source-tree.ts';

const core = sourceFiles('src');
const adapters = sourceFiles('adapters');

/** Where each package may be imported; a package that is not listed here is not used yet and has no home. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  '@hono/node-server': ['adapters/'],
  '@noble/hashes': ['src/base/', 'src/pki/', 'src/tls/', 'src/catalog/', 'src/audit/'],
  '@peculiar/x509': ['src/pki/'],
  'reflect-metadata': ['src/pki/'],
  db0: ['adapters/'],
  hono: ['src/http/', 'adapters/'],
  ioredis: ['adapters/'],
  jose: ['src/vault/', 'src/identity/'],
  pg: ['adapters/'],
  undici: ['adapters/'],
  unstorage: ['src/store/', 'adapters/'],
  ws: ['adapters/node-compat/listener/'],
  yaml: ['adapters/'],
  // the demo runs from a checkout, so what it plays with are development dependencies
  '@modelcontextprotocol/client': ['adapters/node-compat/cli/demo/'],
  '@modelcontextprotocol/node': ['adapters/node-compat/cli/demo/'],
  '@modelcontextprotocol/server': ['adapters/node-compat/cli/demo/'],
  zod: ['adapters/node-compat/cli/demo/'],
};

/** Room or top-level file -> what it may import, from the table whose rows open with a name in backticks. */
function parseRooms(markdown: string): Map<string, Set<string>> {
  const rooms = new Map<string, Set<string>>();
  for (const [, room = '', mayImport = ''] of markdown.matchAll(/^\| *`([a-z.-]+)` *\| *([^|]*?) *\|/gm)) {
    const below = [...rooms.keys()];
    const named = mayImport.replaceAll('`', '').split(/, */);
    rooms.set(room, new Set(named.flatMap((name) => (name === 'everything below' ? below : [name]))));
  }
  return rooms;
}

const rooms = parseRooms(readText('ARCHITECTURE.md'));
const roomOf = (path: string): string => path.split('/')[1] ?? '';
const arrow = (file: SourceFile, target: string): string => `${file.path} -> ${target}`;

test('every room of the table exists, and every file of the core is in one', () => {
  expect([...new Set(core.map((file) => roomOf(file.path)))].toSorted()).toEqual([...rooms.keys()].toSorted());
});

test('rooms import what the table allows', () => {
  const broken = core.flatMap((file) =>
    file.imports
      .filter(({ relative, target }) => relative && target.startsWith('src/') && roomOf(target) !== roomOf(file.path))
      .filter(({ target }) => !rooms.get(roomOf(file.path))?.has(roomOf(target)))
      .map(({ target }) => arrow(file, target)),
  );
  expect(broken).toEqual([]);
});

test('the core imports nothing outside itself but packages', () => {
  const broken = core.flatMap((file) =>
    file.imports
      .filter(({ relative, target, specifier }) => (relative ? !target.startsWith('src/') : specifier.includes(':')))
      .map(({ specifier }) => arrow(file, specifier)),
  );
  expect(broken).toEqual([]);
});

test('adapters import the public surface, their own folder and node-compat', () => {
  const broken = adapters.flatMap((file) => {
    const allowed = ['src/index.ts', file.path.split('/', 2).join('/') + '/', 'adapters/node-compat/'];
    return file.imports
      .filter(({ relative, target }) => relative && !allowed.some((prefix) => target.startsWith(prefix)))
      .map(({ target }) => arrow(file, target));
  });
  expect(broken).toEqual([]);
});

test('nothing imports itself in a circle, types included', () => {
  const files = new Map([...core, ...adapters].map((file) => [file.path, file]));
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
    else if (!done.has(path))
      for (const { relative, target } of files.get(path)?.imports ?? []) if (relative) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of files.keys()) visit(path, []);
  expect(circles).toEqual([]);
});

test('each package is imported at its home only', () => {
  const broken = [...core, ...adapters].flatMap((file) =>
    file.imports
      .filter(({ relative, specifier }) => !relative && !specifier.startsWith('node:'))
      .filter(({ target }) => !HOMES[target]?.some((home) => file.path.startsWith(home)))
      .map(({ specifier }) => arrow(file, specifier)),
  );
  expect(broken).toEqual([]);
});

test('the core names no runtime', () => {
  const RUNTIME = /(?<![.\w$'"`])(?:process|Buffer|Deno|Bun|require)\s*[.([]|['"](?:node|bun|deno|cloudflare|npm|jsr):/;
  const GLOBAL_FETCH = /globalThis\s*\.\s*fetch|(?:[=(,?:>&|]|\b(?:return|await)\b)\s*fetch\b(?!\s*\??:)/;
  const broken = core.flatMap((file) =>
    file.code
      .split('\n')
      .flatMap((line, index) => (RUNTIME.test(line) || GLOBAL_FETCH.test(line) ? [`${file.path}:${index + 1}`] : [])),
  );
  expect(broken).toEqual([]);
});
