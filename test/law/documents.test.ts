/** Keeps the documents true to the tables they speak of: what they name exists, and nothing is left out. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { ERRORS } from '../../src/base/errors.ts';
import { LISTENER_REFUSALS } from '../../src/base/listener-refusal.ts';
import { fileKeyOf } from '../../src/config/setting.ts';
import type { Setting } from '../../src/config/setting.ts';
import { CLIENT_VARIABLES, SETTINGS } from '../../src/config/settings.ts';
import { MEMBER_FIELDS, SERVER_FIELDS } from '../../src/catalog/server-fields.ts';
import { GATEWAY_PATHS } from '../../src/http/api/gateway-paths.ts';
import { SERVER_PATHS } from '../../src/http/api/server-paths.ts';
import { REVOCATION_SCHEMA, TOKEN_SCHEMA } from '../../src/http/api/token-input.ts';
import { TOKEN_PATHS } from '../../src/http/api/token-paths.ts';
import { LIST_QUERY } from '../../src/http/api/queries.ts';
import { METRICS } from '../../src/observe/metric-table.ts';
import { snakeOf } from '../../src/registry/field-schema.ts';
import { GATEWAY_FIELDS } from '../../src/registry/gateway-fields.ts';
import { codeSpansOf, fencesOf, linksOf, rowsOf, sectionOf } from '../support/markdown.ts';
import { readText, ROOT } from './source-tree.ts';

const DOCUMENTS = [
  'README.md',
  'ARCHITECTURE.md',
  'SECURITY.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'adapters/README.md',
  'docs/audit.md',
  'docs/callers.md',
  'docs/connect.md',
  'docs/errors.md',
  'docs/gateways.md',
  'docs/import.md',
  'docs/limits.md',
  'docs/metrics.md',
  'docs/policy.md',
  'docs/proxies.md',
  'docs/revocation.md',
  'docs/rotation.md',
  'docs/runtimes.md',
  'docs/servers.md',
  'docs/settings.md',
  'docs/tokens.md',
].map((path) => ({ path, text: readText(path) }));

const settings: readonly Setting<unknown>[] = Object.values(SETTINGS) as unknown as readonly Setting<unknown>[];
const spans = DOCUMENTS.flatMap(({ path, text }) => codeSpansOf(text).map((span) => ({ path, span })));
const written = (words: Iterable<string>): string => [...words].map((word) => `\`${word}\``).join(', ');
/** What `pattern` finds in backticks anywhere and `known` does not have. */
const unknown = (pattern: RegExp, known: ReadonlySet<string>): string[] =>
  spans.flatMap(({ path, span }) =>
    (span.match(pattern) ?? []).filter((word) => !known.has(word)).map((word) => `${path}: ${word}`),
  );

test('every document is there, and every link leads to a file', () => {
  expect(DOCUMENTS.filter(({ text }) => text === '')).toEqual([]);
  const broken = DOCUMENTS.flatMap(({ path, text }) =>
    linksOf(text)
      .filter((target) => !target.startsWith('https://') && !existsSync(ROOT + join(dirname(path), target)))
      .map((target) => `${path}: ${target}`),
  );
  expect(broken).toEqual([]);
});

test('docs/settings.md has a row for each setting, as the command line tells it', () => {
  const text = readText('docs/settings.md');
  const rows = settings.map((setting) => {
    const { env, alias, flag, placeholder, fallback, help } = setting;
    const key = fileKeyOf(setting);
    const isShown = ['string', 'number', 'boolean'].includes(typeof fallback);
    return [
      written(alias === undefined ? [env] : [env, alias]),
      flag === undefined ? '' : `\`--${flag}\``,
      key === undefined ? '' : `\`${key}\``,
      `\`${placeholder.replaceAll('|', '\\|')}\``,
      isShown ? `\`${String(fallback)}\`` : '',
      help,
    ];
  });
  expect(rowsOf(sectionOf(text, 'Settings'))).toEqual(rows);
  for (const variable of CLIENT_VARIABLES) expect(sectionOf(text, 'Read by commands only')).toContain(variable);
});

test('docs/metrics.md has a row for each metric', () => {
  const rows = Object.entries(METRICS).map(([name, { type, labels, help }]) => [
    `\`${name}\``,
    type,
    written(labels),
    help,
  ]);
  expect(rowsOf(sectionOf(readText('docs/metrics.md'), 'Metrics'))).toEqual(rows);
  const inQueries = fencesOf(readText('docs/metrics.md')).flatMap(({ text }) => text.match(/\bpostern_\w+/g) ?? []);
  expect(inQueries.filter((name) => !(name in METRICS))).toEqual([]);
});

test.each([
  ['docs/gateways.md', GATEWAY_PATHS, { Fields: GATEWAY_FIELDS }],
  ['docs/servers.md', SERVER_PATHS, { Fields: SERVER_FIELDS, Members: MEMBER_FIELDS }],
  [
    'docs/tokens.md',
    TOKEN_PATHS,
    { Fields: TOKEN_SCHEMA.properties, 'What to take back': REVOCATION_SCHEMA.properties },
  ],
])('%s has a row for each field and each address', (path, paths, tables) => {
  const text = readText(path);
  for (const [section, fields] of Object.entries(tables))
    expect(rowsOf(sectionOf(text, section)).map(([name]) => name)).toEqual(
      Object.keys(fields).map((name) => `\`${snakeOf(name)}\``),
    );
  const addresses = rowsOf(sectionOf(text, 'Addresses')).map(([address]) => address);
  const operations = Object.entries(paths).flatMap(([address, operation]) =>
    Object.keys(operation as object)
      .filter((method) => method !== 'parameters')
      .map((method) => `\`${method.toUpperCase()} ${address}\``),
  );
  expect(new Set(addresses)).toEqual(new Set(operations));
});

test('every variable that is named exists', () => {
  const known = new Set([
    ...settings.flatMap(({ env, alias }) => [env, alias ?? env]),
    ...CLIENT_VARIABLES,
    // read by `postern certs`, and those of Node and of the system's loader
    'LD_PRELOAD',
    'NODE_OPTIONS',
    'MCP_CERT_DAYS',
    'MCP_PLUGIN_CONFIG',
    'NODE_EXTRA_CA_CERTS',
    'NODE_TLS_REJECT_UNAUTHORIZED',
    'SOAK_SCALE',
  ]);
  expect(unknown(/\b[A-Z]{2,}(?:_[A-Z]+)+\b/g, known)).toEqual([]);
});

test('every code, field and metric that is named exists', () => {
  const known = new Set([
    ...Object.keys(ERRORS),
    ...Object.keys(METRICS),
    ...LISTENER_REFUSALS,
    ...Object.keys(LIST_QUERY),
    ...settings.flatMap((setting) => fileKeyOf(setting) ?? []),
    ...[GATEWAY_FIELDS, SERVER_FIELDS, MEMBER_FIELDS, TOKEN_SCHEMA.properties, REVOCATION_SCHEMA.properties].flatMap(
      (fields) => Object.keys(fields).map(snakeOf),
    ),
    ...Object.values(GATEWAY_FIELDS).flatMap((field) => ('enum' in field ? field.enum : [])),
    // inside tls_config; a family of codes; tools of the examples; SQLite's
    'ca_cert',
    // roles of a metric
    'client_ca',
    'client_crl',
    'tls_client_certificate_',
    'gateway_tool',
    'warehouse_echo',
    'busy_timeout',
    // what tokens that are kept begin with
    'pst_',
    // of wrangler.toml
    'mtls_certificates',
  ]);
  expect(unknown(/(?<![\w/.@-])[a-z]+(?:_[a-z]+)*_[a-z]*(?![\w/.-])/g, known)).toEqual([]);
});

test('every file that is named exists', () => {
  const broken = spans.flatMap(({ path, span }) =>
    (span.match(/(?<![\w/.-])(?:src|adapters|test|bench|docs|\.ci)\/[\w./-]+/g) ?? [])
      // what is installed need not be there yet
      .filter((file) => !file.includes('/node_modules/') && !existsSync(ROOT + file))
      .map((file) => `${path}: ${file}`),
  );
  expect(broken).toEqual([]);
});

test('every npm script that is named exists', () => {
  const { scripts } = JSON.parse(readText('package.json')) as { scripts: Readonly<Record<string, string>> };
  const shown = DOCUMENTS.flatMap(({ path, text }) =>
    [...text.matchAll(/\bnpm (?:run (?:-s )?([\w:-]+)|(test|start)\b)/g)].map(([, script, short]) => ({
      path,
      script: script ?? short ?? '',
    })),
  );
  expect(shown.filter(({ script }) => !(script in scripts))).toEqual([]);
});
