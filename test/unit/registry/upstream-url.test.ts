import { expect, test } from 'vitest';
import { parseUpstreamUrl } from '../../../src/registry/upstream-url.ts';

test.each([
  'http://127.0.0.1:9000/mcp',
  'https://127.0.0.1:8443/mcp?tenant=a',
  'http://localhost/',
  'http://[::1]:9000/mcp',
  'http://10.0.0.7/mcp',
  'http://192.168.1.4/mcp',
  'https://[fd00::1]/mcp',
  'https://warehouse.example.com/mcp',
  'https://feed.example.com/',
])('%s stays as it is', (text) => {
  expect(parseUpstreamUrl(text).href).toBe(text);
});

test.each([
  ['not a url', 'expected an absolute'],
  ['/mcp', 'expected an absolute'],
  ['ftp://example.com/', 'met the scheme ftp'],
  ['file:///etc/passwd', 'met the scheme file'],
  ['javascript:alert(1)', 'met the scheme javascript'],
  ['http://user@example.com/', 'without user name and password'],
  ['https://:secret@example.com/', 'without user name and password'],
  ['https://example.com/#part', 'without a fragment'],
  ['http://169.254.169.254/latest/meta-data', 'link-local or metadata'],
  ['http://2852039166/', 'link-local or metadata'],
  ['http://0xa9fea9fe/', 'link-local or metadata'],
  ['http://0251.0376.0251.0376/', 'link-local or metadata'],
  ['http://[fe80::1]/', 'link-local or metadata'],
  ['http://[febf::1]/', 'link-local or metadata'],
  ['http://[::ffff:169.254.169.254]/', 'link-local or metadata'],
  ['http://[64:ff9b::169.254.169.254]/', 'link-local or metadata'],
  ['http://[fd00:ec2::254]/', 'link-local or metadata'],
  ['http://100.100.100.200/', 'link-local or metadata'],
  ['http://168.63.129.16/', 'link-local or metadata'],
  ['http://metadata.google.internal/', 'link-local or metadata'],
  ['http://METADATA.google.internal./', 'link-local or metadata'],
])('%s is refused', (text, message) => {
  expect(() => parseUpstreamUrl(text)).toThrow(
    expect.objectContaining({ code: 'url_refused', message: expect.stringContaining(message) }),
  );
});

test('a password in a refused URL is not repeated', () => {
  expect(() => parseUpstreamUrl('https://u:hush@example.com/')).toThrow(
    expect.not.objectContaining({ message: expect.stringContaining('hush') }),
  );
});
