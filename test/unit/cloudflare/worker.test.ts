import { expect, test } from 'vitest';
import worker from '../../../adapters/cloudflare/worker.ts';

/** Instances by the names they were asked for. */
function namespaceOf(fetch: () => Promise<Response>) {
  const names: string[] = [];
  const GATEWAY = {
    getByName(name: string) {
      names.push(name);
      return { fetch };
    },
  };
  return { names, env: { GATEWAY } };
}

const requestFrom = (cf: unknown): Request => Object.assign(new Request('https://gateway.test/mcp'), { cf });

test('a request goes to the gateway of the place it came in at', async () => {
  const { names, env } = namespaceOf(() => Promise.resolve(new Response('answer')));
  for (const cf of [{ colo: 'AMS' }, { colo: 7 }, {}, undefined]) {
    const answer = await worker.fetch(requestFrom(cf), env);
    expect(await answer.text()).toBe('answer');
  }
  await worker.scheduled(undefined, env);
  expect(names).toEqual(['AMS', 'home', 'home', 'home', 'home']);
});

test('a gateway that is replaced under a request is told of', async () => {
  const { env } = namespaceOf(() => Promise.reject(new Error('Durable Object reset because its code was updated')));
  const answer = await worker.fetch(requestFrom({}), env);
  expect([answer.status, await answer.json()]).toEqual([503, expect.objectContaining({ code: 'connection_cut' })]);
});
