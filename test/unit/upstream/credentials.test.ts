import { expect, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { basicAuthorization, bearerAuthorization, openOutbound } from '../../../src/upstream/credentials.ts';

const url = new URL('https://mcp.test/a/mcp?x=1#fragment');
const none = { headers: {}, query: {} };

test('a basic password may contain anything, a user name no colon', () => {
  expect(basicAuthorization('ann', new Secret('a:b:ü')).reveal()).toBe(
    `Basic ${Buffer.from('ann:a:b:ü').toString('base64')}`,
  );
  expect(() => basicAuthorization('a:b', new Secret('s3cret'))).toThrow(
    expect.objectContaining({ code: 'config_invalid' }),
  );
});

test('what carries a secret does not print it', () => {
  expect(String(bearerAuthorization(new Secret('t0ken')))).toBe('[secret]');
  expect(bearerAuthorization(new Secret('t0ken')).reveal()).toBe('Bearer t0ken');
});

test('path and query of the URL, without its fragment, with the query credentials', () => {
  expect(openOutbound({ url, credentials: none }, 'postern-a').path).toBe('/a/mcp?x=1');
  const withKey = openOutbound({ url, credentials: { headers: {}, query: { key: new Secret('k y&z') } } }, 'postern-a');
  expect(withKey.path).toBe('/a/mcp?x=1&key=k+y%26z');
  expect(withKey.pathOf(new URL('https://mcp.test/messages?sessionId=1'))).toBe('/messages?sessionId=1&key=k+y%26z');
});

test('our credentials replace what a caller sent under the same name', () => {
  const { headers } = openOutbound(
    { url, credentials: { headers: { 'x-key': new Secret('ours') }, query: {} } },
    'postern-a',
  );
  expect(headers({ 'x-key': 'theirs', accept: 'a' })).toEqual({
    accept: 'a',
    'x-key': 'ours',
    'accept-encoding': 'identity',
    via: '1.1 postern-a',
  });
});

test('a caller’s credentials and hop headers never go on', () => {
  const { headers } = openOutbound({ url, credentials: none }, 'postern-a');
  const theirs = {
    authorization: 'a',
    cookie: 'b',
    'proxy-authorization': 'c',
    host: 'd',
    connection: 'e',
    'content-length': '1',
    'transfer-encoding': 'f',
  };
  expect(headers(theirs)).toEqual({ 'accept-encoding': 'identity', via: '1.1 postern-a' });
});

test('a header that cannot be sent is refused without its value', () => {
  for (const [name, value] of [
    ['x-key', 's3cret\r\nx: y'],
    ['x-key', 's3cret€'],
    ['not a name', 's3cret'],
    ['mcp-session-id', 's3cret'],
    ['X-Upper', 's3cret'],
  ] as const) {
    const open = () =>
      openOutbound({ url, credentials: { headers: { [name]: new Secret(value) }, query: {} } }, 'postern-a');
    expect(open).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: expect.not.stringContaining('s3cret') }),
    );
  }
});
