import { expect, test } from 'vitest';
import { missingIn, onlyGateway, opened, readFile } from '../../support/imports.ts';
import type { Given } from '../../support/imports.ts';

const REMOTE = {
  $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
  name: 'io.github.ann/hybrid',
  description: 'Here and there',
  version: '1.5.0',
  remotes: [
    { type: 'sse', url: 'https://mcp.example.com/sse' },
    {
      type: 'streamable-http',
      url: 'https://{tenant}.example.com/{other}',
      variables: { tenant: { description: 'Your tenant', isRequired: true } },
      headers: [
        { name: 'X-API-Key', isRequired: true, isSecret: true },
        { name: 'X-Region', default: 'eu', choices: ['eu', 'us'] },
        { name: 'X-Optional' },
        { name: 'Authorization', value: 'Bearer {token}', variables: { token: { isSecret: true, isRequired: true } } },
      ],
    },
  ],
  packages: [{ registryType: 'npm', identifier: '@ann/hybrid', version: '1.5.0', transport: { type: 'stdio' } }],
};

test('a remote: the first that speaks Streamable HTTP, with what it needs', () => {
  const entry = onlyGateway(REMOTE);
  expect(missingIn(entry)).toEqual(['X-API-Key', 'token', 'tenant']);
  expect(entry).toMatchObject({
    source: 'io.github.ann/hybrid',
    changes: ['named hybrid, without its namespace', 'one of 3 ways to reach it is taken'],
  });
  const inputs = { 'X-API-Key': 'canary-1', 'hybrid.token': 'canary-2', tenant: 'acme' };
  const { body, problems } = onlyGateway(REMOTE, { inputs });
  expect([problems, opened(body)]).toEqual([
    [],
    {
      name: 'hybrid',
      description: 'Here and there',
      url: { secret: 'https://acme.example.com/%7Bother%7D', shown: 'https://{tenant}.example.com/{other}' },
      transport: 'STREAMABLEHTTP',
      authType: 'authheaders',
      authHeaders: [
        { key: 'X-API-Key', value: { secret: 'canary-1', shown: 'from the input X-API-Key' } },
        { key: 'X-Region', value: { secret: 'eu', shown: '*****' } },
        { key: 'Authorization', value: { secret: 'Bearer canary-2', shown: 'from the input token' } },
      ],
    },
  ]);
});

const packageOf = (one: object, given?: Given) => onlyGateway({ name: 'a/b', packages: [one] }, given);
const commandOf = (one: object, given?: Given): string => {
  const { body, problems } = packageOf(one, given);
  expect(problems).toEqual([]);
  return [body['command'], ...(body['args'] as readonly unknown[])].join(' ');
};

test.each([
  ['npm', { registryType: 'npm', identifier: '@a/b', version: '1.0.2' }, 'npx -y @a/b@1.0.2'],
  ['npm by bunx', { registryType: 'npm', identifier: '@a/b', runtimeHint: 'bunx' }, 'bunx @a/b'],
  [
    'npm with arguments of npx',
    {
      registryType: 'npm',
      identifier: 'b',
      runtimeHint: 'npx',
      runtimeArguments: [{ type: 'positional', value: '--yes' }],
    },
    'npx --yes b',
  ],
  ['pypi', { registryType: 'pypi', identifier: 'weather', version: '0.5.0', runtimeHint: 'uvx' }, 'uvx weather==0.5.0'],
  ['pypi by pipx', { registryType: 'pypi', identifier: 'weather', runtimeHint: 'pipx' }, 'pipx run weather'],
  ['oci', { registryType: 'oci', identifier: 'ghcr.io/a/b:v1' }, 'docker run -i --rm ghcr.io/a/b:v1'],
  [
    'oci of before',
    { registryType: 'oci', identifier: 'localhost:5000/b', version: '1' },
    'docker run -i --rm localhost:5000/b:1',
  ],
  [
    'oci with an environment',
    { registryType: 'oci', identifier: 'a/b:1', environmentVariables: [{ name: 'MODE', value: 'x' }] },
    'docker run -i --rm -e MODE a/b:1',
  ],
  [
    'nuget',
    {
      registryType: 'nuget',
      identifier: 'A.B',
      version: '0.4.0',
      packageArguments: [{ type: 'positional', value: 'mcp' }],
    },
    'dnx A.B@0.4.0 --yes -- mcp',
  ],
  [
    'arguments',
    {
      registryType: 'npm',
      identifier: 'b',
      packageArguments: [
        { type: 'named', name: '--mode', default: 'local' },
        { type: 'named', name: '--port', format: 'number' },
        { type: 'positional', valueHint: 'dir', default: '/d', isRequired: true },
      ],
    },
    'npx -y b --mode local /d',
  ],
])('a package of %s', (_, one, command) => {
  expect(commandOf({ transport: { type: 'stdio' }, ...one })).toBe(command);
});

/** As the schema of July 2025 spelt it. */
const OLDER = {
  registry_type: 'oci',
  identifier: 'example/db',
  version: '3.1.0',
  runtime_arguments: [
    {
      type: 'named',
      name: '--mount',
      value: 'type=bind,src={source},dst={target}',
      is_required: true,
      variables: { source: { is_required: true }, target: { default: '/project' } },
    },
  ],
  package_arguments: [{ type: 'positional', value_hint: 'database', is_required: true }],
  environment_variables: [
    { name: 'DB_PASSWORD', is_required: true, is_secret: true },
    { name: 'LOG_LEVEL', default: 'info' },
    { name: 'OPTIONAL' },
  ],
};

test('snake_case is read too, and what is required is missing', () => {
  expect(missingIn(packageOf(OLDER))).toEqual(['DB_PASSWORD', 'source', 'database']);
  const given = {
    environment: { DB_PASSWORD: 'canary', LOG_LEVEL: 'debug' },
    inputs: { source: '/s', database: 'shop' },
  };
  const { body, problems } = packageOf(OLDER, given);
  expect([problems, opened(body)]).toEqual([
    [],
    {
      name: 'b',
      transport: 'STDIO',
      command: 'docker',
      args: [
        'run',
        '-i',
        '--rm',
        '--mount',
        { secret: 'type=bind,src=/s,dst=/project', shown: 'type=bind,src={source},dst={target}' },
        '-e',
        'DB_PASSWORD',
        '-e',
        'LOG_LEVEL',
        'example/db:3.1.0',
        { secret: 'shop', shown: '{database}' },
      ],
      env: {
        DB_PASSWORD: { secret: 'canary', shown: 'from $DB_PASSWORD' },
        // what has a default is not taken from whatever is around
        LOG_LEVEL: { secret: 'info', shown: '*****' },
      },
    },
  ]);
});

test.each([
  ['mcpb', [{ registryType: 'mcpb', identifier: 'https://example.com/x.mcpb', transport: { type: 'stdio' } }]],
  ['a listener of its own', [{ registryType: 'npm', identifier: 'x', transport: { type: 'streamable-http' } }]],
  ['no name a table could have', [{ registryType: 'constructor', identifier: 'x' }]],
])('packages that cannot be run are named: %s', (_, packages) => {
  expect(onlyGateway({ name: 'a/b', packages }).problems).toMatchObject([{ kind: 'unsupported', name: 'packages' }]);
});

test('the first package that can be run is', () => {
  const packages = [
    { registryType: 'mcpb', identifier: 'x', transport: { type: 'stdio' } },
    { registryType: 'pypi', identifier: 'y', transport: { type: 'stdio' } },
  ];
  expect(onlyGateway({ name: 'a/b', packages }).body).toMatchObject({ command: 'uvx', args: ['y'] });
});

const listed = (name: string, version: string, official: object = {}) => ({
  server: { name, version, remotes: [{ type: 'sse', url: `https://example.com/${version}` }] },
  _meta: { 'io.modelcontextprotocol.registry/official': official },
});

test('a list of a registry: one version of each, and names that stay apart', () => {
  const servers = [
    listed('a/x', '1', { isLatest: true, status: 'deprecated' }),
    listed('a/x', '2', { isLatest: false }),
    listed('b/y', '1'),
    listed('c/y', '1'),
    { server: { name: 'no target' } },
  ];
  const { format, entries, leftOut } = readFile({ servers, metadata: { nextCursor: 'more', count: 5 } });
  expect(format).toBe('list of a registry');
  expect(entries.map(({ source, body }) => [source, body.name, body['url']])).toEqual([
    ['a/x', 'x', 'https://example.com/1'],
    ['b/y', 'b/y', 'https://example.com/1'],
    ['c/y', 'c/y', 'https://example.com/1'],
  ]);
  expect(entries[0]?.changes).toContain('the registry says that it is deprecated');
  expect(leftOut.map(({ what, count }) => [what, count])).toEqual([
    ['older versions', 1],
    ['other entries', 1],
    ['further pages', 1],
  ]);
  expect(onlyGateway(listed('a/x', '1')).source).toBe('a/x');
  expect(readFile({ servers: [] }).entries).toEqual([]);
});
