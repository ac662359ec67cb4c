import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRuntimeGateway } from '../../support/runtime-gateway.ts';
import type { RuntimeGateway, Subject } from '../../support/runtime-gateway.ts';
import { startStrictUpstream } from '../../support/strict-upstream.ts';
import type { StrictUpstream } from '../../support/strict-upstream.ts';

/** What other programs take for leave to skip checks, or to go another way; nothing here may depend on it. */
const MISLEADING = {
  NODE_TLS_REJECT_UNAUTHORIZED: '0',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  https_proxy: 'http://127.0.0.1:9',
  ALL_PROXY: 'http://127.0.0.1:9',
};

/** What a registration over REST is told by a process of the runtime. */
export function refusalsContract(subject: Subject): void {
  const { dialer } = subject.runtime;
  let strict: StrictUpstream;
  let gateway: RuntimeGateway;
  beforeAll(async () => {
    strict = await startStrictUpstream();
    gateway = await startRuntimeGateway(subject, { env: { POSTERN_ALLOW_INSECURE_TLS: 'true', ...MISLEADING } });
  });
  afterAll(async () => {
    await gateway?.close();
    await strict?.upstream.close();
  });

  test('what cannot work is refused, and nothing is stored', async () => {
    const { pki, ca, server, client } = strict;
    const other = await pki.ca('Another CA');
    const stranger = await other.issue({ cn: 'stranger', eku: 'client' });
    const right = { client_cert: client.chainPem, client_key: client.keyPem };
    const wrong = { client_cert: stranger.chainPem, client_key: stranger.keyPem };
    const codeOf = async (fields: object) => {
      const shared = { name: 'wrong', url: strict.fields['url'], ca_certificate: ca.pem };
      const { status, body } = await gateway.api('POST', '/v1/gateways', { ...shared, ...fields });
      return [status, body['code']];
    };
    expect(await codeOf({ ...right, ca_certificate: other.pem })).toEqual([502, 'tls_unknown_ca']);
    expect(await codeOf({ ...right, ca_certificate: other.pem, ca_mode: 'add' })).toEqual([502, 'tls_unknown_ca']);
    expect(await codeOf({ ...right, ca_certificate: 'no PEM' })).toEqual([422, 'ca_unreadable']);
    expect(await codeOf({ client_cert: client.chainPem })).toEqual([422, 'key_missing']);
    expect(await codeOf({ client_key: client.keyPem })).toEqual([422, 'certificate_missing']);
    expect(await codeOf({ ...right, client_key: stranger.keyPem })).toEqual([422, 'key_mismatch']);
    expect(await codeOf({})).toEqual([502, 'tls_client_certificate_required']);
    // this server closes the connection without a word
    expect(await codeOf(wrong)).toEqual([502, 'connection_lost']);
    expect(await codeOf({ ...right, server_name: 'elsewhere' })).toEqual([502, 'tls_server_wrong_host']);
    expect(await codeOf({ ...right, pins: [client.certificate.facts.spkiPin] })).toEqual([502, 'tls_pin_mismatch']);
    const crl = await ca.crl([server.serialNumber]);
    expect(await codeOf({ ...right, crl })).toEqual(
      dialer.crl ? [502, 'tls_server_revoked'] : [422, 'capability_unsupported'],
    );
    expect((await gateway.api('GET', '/v1/gateways/wrong')).status).toBe(404);
    expect(strict.upstream.requests).toEqual([]);
  });

  test('what the runtime honours is taken, and what it does not is refused by its name', async () => {
    const { fields, ca, server } = strict;
    const settings = {
      caAdd: { ca_mode: 'add' },
      serverName: { server_name: '127.0.0.1' },
      skipHostname: { check_hostname: false },
      skipVerify: { verify: false },
      minVersion: { min_tls_version: 'TLSv1.3' },
      crl: { crl: await ca.crl([]) },
      pins: { pins: [server.certificate.facts.spkiPin] },
      binding: { client_binding: 'NAME' },
    };
    for (const [capability, setting] of Object.entries(settings)) {
      const { status, body } = await gateway.api('POST', '/v1/gateways', { ...fields, ...setting, name: capability });
      const { message, details } = body as { message?: string; details?: object };
      if (dialer[capability as keyof typeof settings])
        expect([capability, status, body['reachable']]).toEqual([capability, 200, true]);
      else {
        expect([capability, status, details]).toEqual([capability, 422, { capabilities: [capability] }]);
        expect(message).toContain(capability);
      }
    }
  });

  // where they are honoured, rotation-contract.ts has a listener with one
  if (!subject.runtime.listener.crl)
    test('a listener with revocation lists does not open where they would count for nothing', async () => {
      const { ca, client, server } = strict;
      const crl = await ca.crl([client.serialNumber]);
      await gateway.write({ 'callers.pem': ca.pem, 'callers.crl': crl, 'both.pem': server.bundlePem });
      const callers = ['--client-auth', 'required', '--client-ca', 'callers.pem', '--client-crl', 'callers.crl'];
      const flags = ['--port', '0', '--data-dir', 'other', '--tls-cert', 'both.pem', ...callers];
      const { code, stderr } = await gateway.run(['serve', ...flags]);
      expect([code, stderr]).toEqual([1, expect.stringContaining('(capability_unsupported)')]);
    });
}
