import { afterEach, expect, test, vi } from 'vitest';
import { PosternGateway } from '../../../adapters/cloudflare/gateway-object.ts';
import { makeKeys } from '../../support/gateway.ts';

afterEach(() => void vi.restoreAllMocks());

/** A namespace that is away for its first requests. */
function awayAtFirst(times: number) {
  const texts = new Map<string, string>();
  let left = times;
  const present = <T>(answer: T): Promise<T> => {
    if (left > 0) return Promise.reject(new Error(`away ${left--}: canary`));
    return Promise.resolve(answer);
  };
  return {
    get: (key: string) => present(texts.get(key) ?? null),
    put: (key: string, value: string) => present(void texts.set(key, value)),
    delete: (key: string) => present(void texts.delete(key)),
    list: () => present({ keys: [...texts.keys()].map((name) => ({ name })), list_complete: true }),
  };
}

test('a gateway that could not start is tried again with the next request, and says why in the log alone', async () => {
  const keys = makeKeys();
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  const env = {
    POSTERN_STORAGE: 'cf-kv:KV',
    POSTERN_VAULT_KEYS: keys.vaultKeys.reveal(),
    JWT_SECRET_KEY: keys.jwtSecretKey.reveal(),
    KV: awayAtFirst(1),
  };
  const gateway = new PosternGateway({ id: { name: 'home' }, waitUntil: () => {} }, env);
  const ready = () => gateway.fetch(new Request('http://localhost/ready'));
  const refused = await ready();
  expect([refused.status, refused.headers.get('content-type')]).toEqual([503, 'application/problem+json']);
  const told = await refused.text();
  expect(told).toContain('store_unavailable');
  expect(told).not.toContain('cf-kv');
  const why = lines.find((line) => line.includes('task.failed')) ?? '';
  expect(JSON.parse(why)).toMatchObject({ level: 'error', event: 'task.failed', task: 'start' });
  expect(why).toContain('cf-kv');
  expect(why + told).not.toContain('canary');
  expect((await ready()).status).toBe(200);
});
