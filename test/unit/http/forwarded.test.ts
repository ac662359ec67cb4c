import { expect, test } from 'vitest';
import { ForwardedHeaders } from '../../../src/http/forwarded.ts';

const forwarded = new ForwardedHeaders('X-Who');

const SPEAK_FOR_OTHERS = [
  'X-Authenticated-User',
  'X-SSL-Client-Cert',
  'X-SSL-Client-S-DN',
  'X-SSL-Client-S-DN-CN',
  'X-SSL-Client-Verify',
  'X-SSL-Client-I-DN',
  'X-Forwarded-Client-Cert',
  'SSL-Client-Cert',
  'SSL-Client-Subject-DN',
  'SSL-Client-Verify',
  'Client-Cert',
  'Client-Cert-Chain',
  'X-Client-Cert',
  'X-User-Organization',
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'X-Forwarded-Anything',
  'X-Forwarded',
  'X-Real-IP',
  'Forwarded',
  'Remote-User',
  'X-Remote-User',
  'X-Auth-Request-Email',
  'X-Who',
];
const OTHERS = ['authorization', 'mcp-session-id', 'x-request-id', 'accept', 'x-whom', 'via', 'traceparent'];

const spellings = (name: string): string[] => [
  name,
  name.toLowerCase(),
  name.toUpperCase(),
  name.replaceAll('-', '_'),
  name.replace('-', '_'),
];

test.each(SPEAK_FOR_OTHERS.flatMap(spellings))('%s is found and removed', (name) => {
  const request = new Request('http://x/', { headers: { [name]: 'value', accept: 'all' } });
  expect(forwarded.areIn(request)).toBe(true);
  expect(forwarded.areIn(new Request('http://x/'), ['Accept', name, name, 'value'])).toBe(true);
  expect(forwarded.stripped(request)).toBe(request);
  expect([...request.headers.keys()]).toEqual(['accept']);
});

test.each(OTHERS)('%s stays', (name) => {
  const request = new Request('http://x/', { headers: { [name]: 'X-Forwarded-For' } });
  expect(forwarded.areIn(request)).toBe(false);
  // values are not names
  expect(forwarded.areIn(request, [name, 'X-Forwarded-For'])).toBe(false);
  expect([...forwarded.stripped(request).headers.keys()]).toEqual([name]);
});

test('where headers cannot be changed the request is another, with the same body', async () => {
  const request = new Request('http://x/path', {
    method: 'POST',
    body: 'text',
    headers: { 'x-who': 'ann', accept: 'all' },
  });
  const { headers } = request;
  const fixed = new Proxy(headers, {
    get: (target, name) => {
      if (name === 'delete') throw new TypeError('immutable');
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value as (...all: unknown[]) => unknown).bind(target) : value;
    },
  });
  Object.defineProperty(request, 'headers', { value: fixed });
  const stripped = forwarded.stripped(request);
  expect([stripped.url, stripped.method, await stripped.text()]).toEqual(['http://x/path', 'POST', 'text']);
  expect(stripped.headers.has('x-who')).toBe(false);
  expect(stripped.headers.get('accept')).toBe('all');
});
