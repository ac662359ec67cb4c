import { expect, test } from 'vitest';
import { grantUpkeep } from '../../src/policy/grant.ts';
import { openKeyring } from '../../src/vault/keyring.ts';
import { rotateVault } from '../../src/vault/rotate.ts';
import { formatVaultKeys, generateVaultKey } from '../../src/vault/vault-keys.ts';
import { makeCanaryKey } from '../support/canaries.ts';
import { makeKeys, startGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import { mintPki } from '../support/pki.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const NAMES = ['first', 'second', 'third'] as const;
const [OLD, NEW] = [generateVaultKey('old'), generateVaultKey('new')];
const grant = grantUpkeep('test');

test('the keys of current, next, retiring and previous appear nowhere, and move to a new vault key', async () => {
  const ca = await (await mintPki()).ca('CA');
  const server = await ca.issue({ cn: 'server', ip: ['127.0.0.1'] });
  const issued = await Promise.all(
    NAMES.map(async (cn) => {
      const client = await ca.issue({ cn });
      const canary = makeCanaryKey(client.keyPem, []);
      const { encryptedPem: client_key, passphrase: client_key_password } = canary;
      return { canary, fields: { client_cert: client.chainPem, client_key, client_key_password } };
    }),
  );
  const [first, second, third] = issued.map(({ fields }) => fields);
  const upstream = await startMcpUpstream({
    tls: { cert: server.chainPem, key: server.keyPem, ca: ca.pem, requireClientCertificate: true },
  });
  const folder = await makeTempFolder();
  const settings = { POSTERN_STORAGE: `sqlite:${folder.path}/postern.db`, LOG_LEVEL: 'debug' };
  const keys = { ...makeKeys(), vaultKeys: formatVaultKeys([OLD]) };
  const gateway = await startGateway({ settings, keys });
  const { registry, records, vault } = gateway.gateway;
  const seen: string[] = [];
  const api = async (method: string, path: string, body?: unknown) => {
    const response = await gateway.api(method, path, body);
    seen.push(await response.text());
    expect(response.status).toBe(200);
  };
  try {
    await api('POST', '/v1/gateways', { name: 'up', url: upstream.url, ca_certificate: ca.pem, ...first });
    await api('PUT', '/v1/gateways/up', { next: second });
    await registry.changes.promote(grant, 'up');
    await api('PUT', '/v1/gateways/up', { next: third });
    await api('GET', '/v1/gateways/up');
    // all three are there: current, next and retiring, and current and retiring once more as they were before
    expect((await folder.bytes()).match(/"sealed"/g)?.length).toBeGreaterThanOrEqual(10);

    vault.use(await openKeyring([NEW, OLD]));
    expect((await rotateVault({ records, vault, events: () => undefined })).refused).toEqual([]);
    vault.use(await openKeyring([NEW]));
    await registry.changes.promote(grant, 'up');
    await registry.changes.rollback(grant, 'up');
    await registry.changes.rollback(grant, 'up');
    await registry.changes.retire(grant, 'up');
    await api('POST', '/v1/gateways/up/refresh');
    expect(upstream.requestsOf('tools/list').at(-1)?.clientSubject).toBe('third');
    await api('GET', '/v1/gateways');
    await api('GET', '/metrics');

    const places = { answers: seen.join('\n'), logs: JSON.stringify(gateway.events), store: await folder.bytes() };
    for (const [place, text] of Object.entries(places)) {
      expect(text.length).toBeGreaterThan(1000);
      for (const [index, { canary }] of issued.entries()) expect(canary.countIn(text), `${place} ${index}`).toBe(0);
    }
  } finally {
    await gateway.close();
    await folder.remove();
    await upstream.close();
  }
});
