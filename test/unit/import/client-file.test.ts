import { expect, test } from 'vitest';
import { missingIn, onlyGateway, opened, readFile } from '../../support/imports.ts';
import type { Given } from '../../support/imports.ts';

const servers = (entry: unknown) => ({ mcpServers: { one: entry } });
const gateway = (entry: unknown, given?: Given) => onlyGateway(servers(entry), given);
const bodyOf = (entry: unknown, given?: Given) => {
  const { body, problems } = gateway(entry, given);
  expect(problems).toEqual([]);
  const { name, ...rest } = opened(body) as Record<string, unknown>;
  expect(name).toBe('one');
  return rest;
};
const hidden = (secret: string, shown = '*****') => ({ secret, shown });
const url = 'https://mcp.example.com/mcp';

test.each([
  ['nothing said: whatever the server speaks', { url }, { url }],
  ['http', { type: 'http', url }, { url, transport: 'STREAMABLEHTTP' }],
  ['streamable-http', { type: 'streamable-http', url }, { url, transport: 'STREAMABLEHTTP' }],
  ['Cline: streamableHttp', { type: 'streamableHttp', url }, { url, transport: 'STREAMABLEHTTP' }],
  ['sse', { type: 'sse', url }, { url, transport: 'SSE' }],
  ['a type nobody knows', { type: 'quic', url }, { url }],
  ['Windsurf: serverUrl', { serverUrl: url }, { url }],
  ['Gemini: httpUrl', { httpUrl: url }, { url, transport: 'STREAMABLEHTTP' }],
  ['transport instead of type', { transport: 'sse', url }, { url, transport: 'SSE' }],
  ['a type of another letter case', { type: 'SSE', url }, { url, transport: 'SSE' }],
  ['a type that says url, beside a command', { type: 'http', url, command: 'x' }, { url, transport: 'STREAMABLEHTTP' }],
  [
    'Inspector: an era',
    { type: 'streamable-http', url, protocolEra: 'modern' },
    { url, transport: 'STREAMABLEHTTP', protocolEra: 'modern' },
  ],
  ['the era nobody has to name', { url, protocolEra: 'auto' }, { url }],
])('%s', (_, entry, body) => {
  expect(bodyOf(entry)).toEqual(body);
});

test.each([
  [
    'no type',
    { command: 'uvx', args: ['mcp-server-git'] },
    { transport: 'STDIO', command: 'uvx', args: ['mcp-server-git'] },
  ],
  ['a type nobody knows', { type: 'local', command: 'uvx' }, { transport: 'STDIO', command: 'uvx' }],
  ['both, and no type', { command: 'uvx', url }, { transport: 'STDIO', command: 'uvx' }],
  [
    'numbers as arguments',
    { command: 'srv', args: ['--port', 1] },
    { transport: 'STDIO', command: 'srv', args: ['--port', '1'] },
  ],
  ['a working directory', { command: 'srv', cwd: '/srv' }, { transport: 'STDIO', command: 'srv', cwd: '/srv' }],
])('a program: %s', (_, entry, body) => {
  expect(bodyOf(entry)).toEqual(body);
});

test('the environment of a program is secret, and what is empty is left out', () => {
  const entry = {
    command: 'npx',
    args: ['-y', 'srv'],
    env: { API_KEY: '${KEY}', LITERAL: 'canary', DEBUG: true, NONE: '' },
  };
  const { body, changes } = gateway(entry, { environment: { KEY: 'k3y' } });
  expect(opened(body)).toMatchObject({
    env: { API_KEY: hidden('k3y', 'from $KEY'), LITERAL: hidden('canary'), DEBUG: hidden('true') },
  });
  expect(changes).toEqual(['the variable NONE of its environment is left out: it is empty']);
});

test('arguments with variables are shown as they stand in the file, and secrets among them not at all', () => {
  const args = [
    '--token',
    'canary',
    '--api-key=canary',
    'API_KEY=canary',
    '${DIR}',
    'postgresql://u:canary@db/x',
    '--all',
  ];
  const { body } = gateway({ command: 'srv', args }, { environment: { DIR: '/d' } });
  expect(JSON.parse(JSON.stringify(body['args']))).toEqual([
    '--token',
    '*****',
    '--api-key=*****',
    'API_KEY=*****',
    '${DIR}',
    'postgresql://*****@db/x',
    '--all',
  ]);
  expect(opened(body['args'])).toContainEqual(hidden('/d', '${DIR}'));
});

test.each([
  ['a bearer token', { Authorization: 'Bearer canary' }, { authType: 'bearer', authToken: hidden('canary') }],
  ['any letter case', { authorization: 'bearer  canary ' }, { authType: 'bearer', authToken: hidden('canary') }],
  [
    'a password with colons',
    { Authorization: `Basic ${btoa('ann:a:b')}` },
    { authType: 'basic', authUsername: hidden('ann'), authPassword: hidden('a:b') },
  ],
  [
    'one header',
    { 'X-API-Key': ' canary' },
    { authType: 'authheaders', authHeaders: [{ key: 'X-API-Key', value: hidden('canary') }] },
  ],
  [
    'several headers',
    { Authorization: 'Bearer t', 'X-Org': 7 },
    {
      authType: 'authheaders',
      authHeaders: [
        { key: 'Authorization', value: hidden('Bearer t') },
        { key: 'X-Org', value: hidden('7') },
      ],
    },
  ],
  [
    'a scheme of its own',
    { Authorization: 'Token t' },
    { authType: 'authheaders', authHeaders: [{ key: 'Authorization', value: hidden('Token t') }] },
  ],
  ['none', {}, {}],
])('headers: %s', (_, headers, auth) => {
  expect(bodyOf({ url, headers })).toEqual({ url, ...auth });
});

test('headers that are not ours to set are left out, and said so', () => {
  const { body, changes, problems } = gateway({
    url,
    headers: { Accept: 'a/b', 'Content-Type': 'x', 'bad name': 'x' },
  });
  expect([opened(body), problems]).toEqual([{ name: 'one', url }, []]);
  expect(changes).toHaveLength(3);
});

test('an empty header is missing, and can be supplied', () => {
  const entry = { url, headers: { 'X-Key': '' } };
  expect(missingIn(gateway(entry))).toEqual(['one.auth_headers.X-Key']);
  expect(bodyOf(entry, { inputs: { 'one.auth_headers.X-Key': 'canary' } })).toMatchObject({
    authHeaders: [{ key: 'X-Key', value: { secret: 'canary' } }],
  });
});

test('credentials in a URL become credentials', () => {
  expect(bodyOf({ url: 'https://ann:s%3Acret@mcp.example.com/mcp' })).toEqual({
    url,
    authType: 'basic',
    authUsername: hidden('ann'),
    authPassword: hidden('s:cret'),
  });
  expect(bodyOf({ url: `${url}?exaApiKey=canary` })).toEqual({
    url,
    authType: 'query_param',
    authQueryParamKey: 'exaApiKey',
    authQueryParamValue: hidden('canary'),
  });
  expect(bodyOf({ url: `${url}?id=\${ID}&x=1` }, { environment: { ID: 'canary' } })).toMatchObject({
    url: { secret: `${url}?x=1` },
    authQueryParamValue: hidden('canary', 'from $ID'),
  });
});

test('a URL is never shown with its parameters or passwords', () => {
  for (const text of ['https://a:canary@b.c/?x=canary', `${url}?a_key=canary&b_token=canary#canary`])
    expect(JSON.stringify(gateway({ url: text, headers: { X: 'canary' } }))).not.toContain('canary');
});

test('variables without a value are named, and the rest is still told', () => {
  const { body, problems } = gateway({ url: 'https://${HOST}/mcp', headers: { Authorization: 'Bearer ${TOKEN}' } });
  expect(problems.map(({ kind, name }) => [kind, name])).toEqual([
    ['variable', 'HOST'],
    ['variable', 'TOKEN'],
  ]);
  expect(JSON.parse(JSON.stringify(body))).toMatchObject({ url: 'https://${HOST}/mcp', authType: 'bearer' });
});

test.each([
  ['neither URL nor command', { args: ['x'] }, 'entry'],
  ['no object', 7, 'entry'],
  ['no URL', { url: 'mcp.example.com' }, 'url'],
  ['an address no server has', { url: 'http://169.254.169.254/mcp' }, 'url'],
  ['a token no header can carry', { url, headers: { Authorization: 'Bearer t\u00f6ken' } }, 'authToken'],
  ['another scheme', { url: 'file:///etc/passwd' }, 'url'],
  ['a header that is no text', { url, headers: { X: {} } }, 'X'],
])('%s is invalid', (_, entry, name) => {
  expect(gateway(entry).problems).toMatchObject([{ kind: 'invalid', name }]);
});

test.each([
  ['OAuth', { url, oauth: { clientId: 'x' } }, 'oauth'],
  ["Cursor's OAuth", { url, auth: { CLIENT_ID: 'x' } }, 'auth'],
  ['headers from a program', { url, headersHelper: '/bin/h' }, 'headersHelper'],
  ['a file of variables', { command: 'x', envFile: '.env' }, 'envFile'],
  ['WebSocket', { type: 'ws', url }, 'type'],
])('%s is not supported', (_, entry, name) => {
  expect(gateway(entry).problems).toMatchObject([{ kind: 'unsupported', name }]);
});

test('what is switched off stays so, and what belongs to the client is named', () => {
  expect(gateway({ url, disabled: true })).toMatchObject({ enabled: false, changes: [] });
  expect(gateway({ url, enabled: false }).enabled).toBe(false);
  const { enabled, changes } = gateway({ url, disabled: false, timeout: 60, alwaysAllow: ['x'] });
  expect([enabled, changes]).toEqual([true, ['left out: timeout, alwaysAllow']]);
});

test('mcp-remote is replaced by the server behind it', () => {
  const args = ['-y', 'mcp-remote@latest', url, '--header', 'Authorization:${AUTH_HEADER}', '--transport', 'http-only'];
  const { body, problems, changes } = gateway({ command: 'npx', args, env: { AUTH_HEADER: 'Bearer canary' } });
  expect(opened(body)).toEqual({
    name: 'one',
    url,
    transport: 'STREAMABLEHTTP',
    authType: 'bearer',
    authToken: hidden('canary', 'from $AUTH_HEADER'),
  });
  expect([problems, changes]).toEqual([[], ['mcp-remote is not needed: its server is reached directly']]);
});

test('mcp-remote: variables of the entry lead to those around it, and OAuth is named', () => {
  const args = ['mcp-remote', url, '--header', 'X-K: ${K}', '--static-oauth-client-info', '@x'];
  const { body, problems } = gateway(
    { command: 'npx', args, env: { K: '${OUTER}' } },
    { environment: { OUTER: 'canary' } },
  );
  expect(opened(body)).toMatchObject({ authHeaders: [{ key: 'X-K', value: { secret: 'canary' } }] });
  expect(problems).toMatchObject([{ kind: 'unsupported', name: '--static-oauth-client-info' }]);
});

test('mcp-remote: a header may come whole from a variable, and is not quoted where it has no name', () => {
  const entry = (header: string) => ({ command: 'npx', args: ['mcp-remote', url, '--header', header] });
  const environment = { AUTH: 'Authorization: Bearer canary' };
  expect(opened(gateway(entry('${AUTH}'), { environment }).body)).toMatchObject({
    authType: 'bearer',
    authToken: hidden('canary', 'from $AUTH'),
  });
  const nameless = gateway(entry('canary'));
  expect(nameless.problems).toMatchObject([{ kind: 'invalid', name: '--header' }]);
  expect(JSON.stringify(nameless)).not.toContain('canary');
});

test('mcp-remote: the authorities Node.js was told of are missing until they are given', () => {
  const entry = { command: 'npx', args: ['mcp-remote', url], env: { NODE_EXTRA_CA_CERTS: '/etc/ca.pem' } };
  expect(missingIn(gateway(entry))).toEqual(['one.ca_certificate']);
  expect(bodyOf(entry, { inputs: { 'one.ca_certificate': 'PEM' } })).toEqual({
    url,
    caCertificate: 'PEM',
    caMode: 'add',
  });
});

test('any field that is a text can be supplied', () => {
  const inputs = {
    'one.client_cert': 'CERT',
    'one.client_key': 'canary',
    'one.auth_token': 'canary',
    'one.prefix': 'p_',
  };
  expect(bodyOf({ url }, { inputs })).toEqual({
    url,
    clientCert: 'CERT',
    clientKey: hidden('canary', 'from the input one.client_key'),
    authType: 'bearer',
    authToken: hidden('canary', 'from the input one.auth_token'),
    prefix: 'p_',
  });
});

const VS_CODE = {
  inputs: [
    { type: 'promptString', id: 'pat', description: 'GitHub token', password: true },
    { type: 'pickString', id: 'region', default: 'eu', options: ['eu', 'us'] },
  ],
  servers: {
    github: {
      type: 'http',
      url: 'https://${input:region}.example.com/',
      headers: { Authorization: 'Bearer ${input:pat}' },
    },
  },
};

test('VS Code: inputs come from what is given, then from their defaults', () => {
  expect(readFile(VS_CODE).format).toBe('VS Code mcp.json');
  const { problems } = onlyGateway(VS_CODE);
  expect(problems).toMatchObject([{ kind: 'input', name: 'pat', message: expect.stringContaining('GitHub token') }]);
  const { body } = onlyGateway(VS_CODE, { inputs: { pat: 'canary' } });
  expect(opened(body)).toMatchObject({
    url: { secret: 'https://eu.example.com/', shown: 'https://${input:region}.example.com/' },
    authToken: hidden('canary', 'from the input pat'),
  });
  const { body: elsewhere } = onlyGateway(VS_CODE, { inputs: { pat: 'x', region: 'us' } });
  expect(opened(elsewhere)).toMatchObject({ url: { secret: 'https://us.example.com/' } });
  expect(onlyGateway({ mcp: VS_CODE }, { inputs: { pat: 'x' } }).body.name).toBe('github');
});

test('Claude Code: servers of single projects are counted, and entries may stand alone', () => {
  const file = { mcpServers: { a: { url } }, projects: { '/x': { mcpServers: { b: { url }, c: { url } } }, '/y': {} } };
  expect(readFile(file)).toMatchObject({
    entries: [{ source: 'a' }],
    leftOut: [{ what: 'servers of single projects', count: 2 }],
  });
  expect(readFile({ a: { command: 'x' }, b: { url } }).entries.map(({ source }) => source)).toEqual(['a', 'b']);
  expect(readFile({ mcpServers: {} }).entries).toEqual([]);
});
