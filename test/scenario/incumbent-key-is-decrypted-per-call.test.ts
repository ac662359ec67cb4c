/** ContextForge bug B10: each call and each health check decrypted the private key, 125 ms on the event loop. */
import { expect, test } from 'vitest';
import { grantUpkeep } from '../../src/policy/grant.ts';
import { watchCostlyWork } from '../support/costly-work.ts';
import { makeKeys, startGateway } from '../support/gateway.ts';
import { connectClient, textOf } from '../support/mcp-client.ts';
import { keyForm } from '../support/pki.ts';
import { startStrictUpstream } from '../support/strict-upstream.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

test('the sealed, encrypted key is opened at the start and never again, whatever is called', async () => {
  const { upstream, fields, client } = await startStrictUpstream();
  const folder = await makeTempFolder();
  const settings = { POSTERN_STORAGE: `sqlite:${folder.path}/postern.db` };
  const keys = makeKeys();
  const first = await startGateway({ settings, keys });
  const encrypted = { client_key: keyForm(client.keyPem, { passphrase: 'opens it' }), client_key_password: 'opens it' };
  await first.register({ ...fields, ...encrypted });
  await first.close();

  const work = watchCostlyWork();
  const gateway = await startGateway({ settings, keys });
  try {
    // two sealed fields, key and passphrase; the key is opened, and looked at when TLS gets it for the first visit
    await expect.poll(() => work.counts()).toMatchObject({ 'subtle.decrypt': 2, createPrivateKey: 2 });
    const opened = () => [work.counts()['subtle.decrypt'] ?? 0, work.counts()['createPrivateKey'] ?? 0];
    work.reset();
    const up = gateway.gateway.registry.snapshot().bySlug('up')?.upstream;
    for (const era of ['legacy', 'modern'] as const) {
      const agent = await connectClient(`${gateway.url}/mcp`, await gateway.token('ann'), era);
      for (let call = 0; call < 25; call++)
        expect(textOf(await agent.callTool({ name: 'up_echo', arguments: { text: `${call}` } }))).toBe(`${call}`);
      await agent.readResource({ uri: 'test://text' });
      await agent.getPrompt({ name: 'up_greet', arguments: { who: 'Ann' } });
      await agent.close();
    }
    for (let check = 0; check < 5; check++)
      expect(await up?.probe(grantUpkeep('test'))).toMatchObject({ status: 'healthy' });
    // a new connection needs the key, and finds it in the context that is there
    upstream.dropConnections();
    expect((await gateway.api('POST', '/v1/gateways/up/refresh')).status).toBe(200);
    expect((await gateway.api('POST', '/v1/gateways/up/check')).status).toBe(200);
    expect((await gateway.api('GET', '/v1/gateways/up')).status).toBe(200);
    expect(opened()).toEqual([0, 0]);
    expect(gateway.countOf('context.built')).toBe(1);
  } finally {
    work.stop();
    await gateway.close();
    await folder.remove();
    await upstream.close();
  }
});
