import { expect, test } from 'vitest';
import type { GatewayError } from '../../../src/base/errors.ts';
import { parseConfig } from '../../../src/config.ts';
import type { ConfigProblem } from '../../../src/config/problem.ts';

type Environment = Readonly<Record<string, string>>;

function problemsOf(environment: Environment): readonly string[] {
  try {
    parseConfig({ environment });
  } catch (error) {
    const problems = (error as GatewayError).details?.['problems'] as readonly ConfigProblem[];
    return problems.map(({ setting, message }) => `${setting}: ${message}`);
  }
  return [];
}

const TRUST = { TRUST_PROXY_AUTH: 'true' };

test('as the seeds have it: tokens are taken, proxies are not believed', () => {
  expect(parseConfig({}).values).toMatchObject({
    clientAuthEnabled: true,
    trustProxyAuth: false,
    proxyUserHeader: 'X-Authenticated-User',
    trustedProxies: undefined,
  });
});

test.each(['0.0.0.0', '10.1.2.3', '::'])('on %s trust needs to know whom', (HOST) => {
  expect(problemsOf({ ...TRUST, HOST })).toEqual([
    `POSTERN_TRUSTED_PROXIES: has to be set: the gateway listens on ${HOST}, where others than the proxy reach it`,
  ]);
  expect(problemsOf({ ...TRUST, HOST, POSTERN_TRUSTED_PROXIES: '10.1.0.0/16, ::1' })).toEqual([]);
});

test.each(['127.0.0.1', 'localhost', '::1'])('on %s those of this machine are meant', (HOST) => {
  expect(problemsOf({ ...TRUST, HOST })).toEqual([]);
});

test.each(['proxy.example', '*', '0.0.0.0/0', '10.0.0.1/8', 'cert:', ','])('nobody is trusted by %s', (text) => {
  expect(problemsOf({ ...TRUST, POSTERN_TRUSTED_PROXIES: text })).toEqual([
    `POSTERN_TRUSTED_PROXIES: expected networks such as 10.1.0.0/16, addresses, or cert:SUBJECT, met "${text}"`,
  ]);
});

test('a proxy can be known by its certificate where it is asked for one', () => {
  const environment = { ...TRUST, POSTERN_TRUSTED_PROXIES: 'cert:proxy' };
  expect(problemsOf(environment)).toEqual([
    'POSTERN_TRUSTED_PROXIES: cert: needs callers to be asked for certificates; set CERT_REQS',
  ]);
  const asking = { CERT_FILE: 'a', CA_CERTS: 'b', CERT_REQS: 'optional' };
  expect(problemsOf({ ...environment, ...asking })).toEqual([]);
});

test.each([
  ['X-Remote-User', true],
  ['X-SSL-Client-S-DN-CN', true],
  ['X-Forwarded-Client-Cert', true],
  ['Client-Cert', true],
  ['X-Forwarded-User', true],
  ['X_Remote_User', false],
  ['Authorization', false],
  ['X-Forwarded-For', false],
  ['X-SSL-Client-Verify', false],
  ['Host', false],
  ['Mcp-Session-Id', false],
  ['a header', false],
  ['X-Remote-User:', false],
])('callers can be named by %s: %s', (PROXY_USER_HEADER, isFine) => {
  expect(problemsOf({ ...TRUST, PROXY_USER_HEADER }).length === 0).toBe(isFine);
});

test('somebody must be let in', () => {
  const closed = { MCP_CLIENT_AUTH_ENABLED: 'false' };
  expect(problemsOf(closed)).toEqual([
    'MCP_CLIENT_AUTH_ENABLED: false lets nobody in: set TRUST_PROXY_AUTH or CERT_REQS',
  ]);
  expect(problemsOf({ ...closed, ...TRUST })).toEqual([]);
  expect(problemsOf({ ...closed, AUTH_REQUIRED: 'false' })).toEqual([]);
  expect(problemsOf({ ...closed, CERT_FILE: 'a', CA_CERTS: 'b', CERT_REQS: '1' })).toEqual([]);
});

test('what has no effect is said', () => {
  const warningsOf = (environment: Environment) =>
    parseConfig({ environment }).warnings.map(({ setting, message }) => `${setting}: ${message}`);
  expect(warningsOf({ PROXY_USER_HEADER: 'X-Remote-User' })).toEqual([
    'PROXY_USER_HEADER: has no effect while TRUST_PROXY_AUTH is false',
  ]);
  expect(warningsOf({ ...TRUST, AUTH_REQUIRED: 'false' })).toEqual([
    'TRUST_PROXY_AUTH: has no effect while AUTH_REQUIRED is false: every caller is an admin',
  ]);
  expect(warningsOf({ ...TRUST, PROXY_USER_HEADER: 'X-Remote-User' })).toEqual([]);
});
