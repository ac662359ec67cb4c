import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GatewayError } from '../../../src/base/errors.ts';
import { planImport } from '../../../src/import/plan.ts';
import { readImport } from '../../../src/import/read-import.ts';
import { readFile, variablesOf } from '../../support/imports.ts';

test.each([
  ['mcpServers', { mcpServers: { a: { url: 'https://x.y/' } } }],
  ['mcpServers', { a: { command: 'x' } }],
  ['VS Code mcp.json', { inputs: [], servers: { a: { url: 'https://x.y/' } } }],
  ['server.json', { name: 'a/b', remotes: [] }],
  ['list of a registry', { servers: [{ server: { name: 'a/b', packages: [] } }] }],
  ['export of ContextForge', { entities: { tools: [] } }],
  ['export of Postern', { format: 'postern export', version: 1, gateways: [], servers: [] }],
])('a file is known by its content: %s', (format, file) => {
  expect(readFile(file).format).toBe(format);
});

test.each([[{}], [[]], [[1]], [null], ['text'], [{ servers: ['a'] }], [{ openapi: '3.1.0' }], [{ a: {} }]])(
  '%j is none of them, and what was expected is told',
  (file) => {
    expect.assertions(2);
    try {
      readFile(JSON.stringify(file));
    } catch (error) {
      expect(error).toMatchObject({ code: 'import_unreadable' });
      expect((error as GatewayError).hint).toContain('ContextForge');
    }
  },
);

/** Values that look like what parsers look for. */
const word = fc.constantFrom(
  'mcpServers',
  'servers',
  'inputs',
  'entities',
  'gateways',
  'format',
  'version',
  'name',
  'url',
  'command',
  'args',
  'env',
  'headers',
  'type',
  'remotes',
  'packages',
  'variables',
  'value',
  'registryType',
  'identifier',
  'members',
  'auth_type',
  'auth_value',
  'tool_ids',
  'authHeaders',
  'key',
  'prefix',
  'eras',
  'enabled',
  'server',
  '_meta',
  '__proto__',
  'constructor',
  'toString',
  'next',
  'tags',
  'cwd',
  'id',
  'default',
  'environmentVariables',
);
const text = fc.oneof(
  word,
  fc.string(),
  fc.constantFrom('npx', 'mcp-remote', 'https://a.b/c?d=${E}', '${', '${A:-${B}}', '{x}', 'postern export', '*****'),
  fc.constantFrom('streamable-http', 'npm', 'oci', 'bearer', 'Bearer ${T}', 'Basic x', 'http://[', '\u0000', '\ud800'),
);
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    text,
    fc.constantFrom(null, true, false, 0, -1, 1e300),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(word, fc.string()), tie('json'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));

test('whatever JSON holds, it is read, or refused by name; it can be planned and printed', () => {
  let read = 0;
  const root = fc.oneof(
    json,
    fc.record({ mcpServers: fc.dictionary(fc.string(), json) }),
    fc.record({ servers: fc.dictionary(fc.string(), json), inputs: json }),
    fc.record({ name: text, remotes: fc.array(json), packages: fc.array(json) }),
    fc.record({ servers: fc.array(json), metadata: json }),
    fc.record({ entities: fc.record({ gateways: json, servers: json, tools: fc.array(json) }) }),
    fc.record({
      format: fc.constant('postern export'),
      version: fc.constant(1),
      gateways: fc.array(json),
      servers: fc.array(json),
    }),
  );
  fc.assert(
    fc.property(root, (value) => {
      try {
        const { entries } = readImport(JSON.stringify(value), variablesOf({ environment: { E: 'e' } }));
        const plan = planImport(entries, { registered: [], replace: false, stdioCommands: [] });
        JSON.stringify(plan);
        read++;
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
  expect(read).toBeGreaterThan(500);
});

test('secrets of the file print as what stands for them, wherever they stand', () => {
  const secret = fc.string({ unit: fc.constantFrom('a', 'b', '0', '1'), minLength: 24, maxLength: 24 });
  fc.assert(
    fc.property(secret, (canary) => {
      const file = {
        mcpServers: {
          a: { url: `https://u:${canary}@x.y/?token=${canary}#${canary}`, headers: { 'X-Key': canary } },
          b: { url: 'https://x.y', headers: { Authorization: `Bearer ${canary}` } },
          c: { command: 'npx', args: ['--token', canary, `--key=${canary}`], env: { A: canary } },
          d: { command: 'npx', args: ['mcp-remote', 'https://x.y', '--header', `X: ${canary}`], env: { A: canary } },
          e: { url: `not a url ?a=${canary}` },
        },
      };
      const { entries } = readFile(file);
      const plan = planImport(entries, { registered: [], replace: false, stdioCommands: [] });
      expect(JSON.stringify([entries, plan])).not.toContain(canary);
    }),
  );
});
