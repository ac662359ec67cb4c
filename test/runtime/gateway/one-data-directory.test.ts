/** Runtimes take turns over one data directory: store, vault, signing key and tokens are the same to all of them. */
import { expect, test } from 'vitest';
import { closeAfterEach } from '../../support/closing.ts';
import { keyForm } from '../../support/pki.ts';
import { SUBJECTS, startRuntimeGateway } from '../../support/runtime-gateway.ts';
import { CLIENT, startStrictUpstream } from '../../support/strict-upstream.ts';

const closing = closeAfterEach();

test('what one runtime sealed the next one opens, and what that one sealed the next', async () => {
  const { node, deno, bun, node22 } = SUBJECTS;
  const { upstream, fields, client } = await startStrictUpstream();
  closing.push(() => upstream.close());
  const gateway = await startRuntimeGateway(node);
  closing.push(() => gateway.close());

  const names: string[] = [];
  const registerOne = async (name: string) => {
    const key = { client_key: keyForm(client.keyPem, { passphrase: name }), client_key_password: name };
    await gateway.register({ ...fields, ...key, name });
    names.push(name);
  };
  await registerOne('by-node');
  for (const subject of [deno, bun, node22, deno]) {
    expect(await gateway.stop()).toBe(0);
    await gateway.start(subject);
    for (const name of names) {
      expect(await gateway.call(`${name}_echo`, { text: subject.name })).toBe(subject.name);
      expect(upstream.requestsOf('tools/call').at(-1)?.clientSubject).toBe(CLIENT);
    }
    const { stdout } = await gateway.run(['token', '--sub', 'bob', '--role', 'admin']);
    const authorization = `Bearer ${stdout.trim()}`;
    expect((await fetch(`${gateway.url}/v1/gateways`, { headers: { authorization } })).status).toBe(200);
    if (names.length < 3) await registerOne(`by-${subject.name.toLowerCase()}`);
  }
  expect(names).toEqual(['by-node', 'by-deno', 'by-bun']);
  expect(gateway.printed()).not.toMatch(/record\.refused|"level":"error"/);
});
