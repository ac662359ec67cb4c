/**
 * Client certificates refused by a server that says why, by alert: each reason has its own code, over REST as in the
 * handshake report, under TLS 1.2 (during the handshake) as under TLS 1.3 (after the client believes it is done).
 */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startOpensslServer } from '../support/openssl.ts';
import type { OpensslServer, OpensslServerOptions } from '../support/openssl.ts';
import { mintPki } from '../support/pki.ts';
import type { MintedCa, MintedCertificate } from '../support/pki.ts';

const DAY_MS = 86_400_000;
const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);
let ca: MintedCa;
let server: MintedCertificate;
let client: MintedCertificate;
let stranger: MintedCertificate;
let gateway: TestGateway;
let openssl: OpensslServer | undefined;

beforeAll(async () => {
  const pki = await mintPki();
  ca = await pki.ca('CA', { notAfter: inDays(3650) });
  server = await ca.issue({ cn: 'server', ip: ['127.0.0.1'], eku: 'server' });
  client = await ca.issue({ cn: 'client', eku: 'client' });
  stranger = await (await pki.ca('Other CA')).issue({ cn: 'stranger', eku: 'client' });
});
beforeEach(async () => {
  gateway = await startGateway();
});
afterEach(async () => {
  await gateway.close();
  await openssl?.close();
  openssl = undefined;
});

type Row = readonly [
  what: string,
  code: string,
  /** What the server is like. */
  server: () => Partial<OpensslServerOptions> | Promise<Partial<OpensslServerOptions>>,
  presented: () => MintedCertificate | undefined,
];
const ROWS: readonly Row[] = [
  ['missing', 'tls_client_certificate_required', () => ({}), () => undefined],
  ['untrusted', 'tls_client_certificate_untrusted', () => ({}), () => stranger],
  // expired on their clock: what is expired on ours is refused before
  ['expired', 'tls_client_certificate_expired', () => ({ now: inDays(40) }), () => client],
  [
    'revoked',
    'tls_client_certificate_revoked',
    async () => ({ crl: await ca.crl([client.serialNumber]) }),
    () => client,
  ],
];

async function fieldsFor(version: 'TLSv1.2' | 'TLSv1.3', [, , options, presented]: Row): Promise<object> {
  openssl = await startOpensslServer({ server, ca: ca.pem, version, ...(await options()) });
  const shown = presented();
  return {
    name: 'up',
    url: `https://127.0.0.1:${openssl.port}/mcp`,
    ca_certificate: ca.pem,
    ...(shown && { client_cert: shown.chainPem, client_key: shown.keyPem }),
  };
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (version) => {
  test.each(ROWS)('client certificate %s: %s, and nothing is stored', async (...row) => {
    const [, code] = row;
    const fields = await fieldsFor(version, row);
    const startedMs = performance.now();
    const refused = await gateway.api('POST', '/v1/gateways', fields);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    const problem: unknown = await refused.json();
    const hint: unknown = expect.stringMatching(/certificate/);
    expect(problem).toMatchObject({ status: 502, code, stage: 'tls', hint });
    expect([refused.status, await gateway.gateway.records.ids('gateway')]).toEqual([502, []]);
  });

  test.each(ROWS)('client certificate %s: the handshake report says %s', async (...row) => {
    const [, code] = row;
    const stored = await gateway.api('POST', '/v1/gateways?connect=false', await fieldsFor(version, row));
    expect(stored.status).toBe(200);
    const report: unknown = await (await gateway.api('POST', '/v1/gateways/up/check')).json();
    expect(report).toMatchObject({ ok: false, protocol: version, error: { code } });
  });

  test('a certificate that is on no list is let in', async () => {
    const row: Row = ['current', '', async () => ({ crl: await ca.crl([]) }), () => client];
    const refused = await gateway.api('POST', '/v1/gateways', await fieldsFor(version, row));
    // past the handshake: what this server says there is no HTTP
    expect(await refused.json()).toMatchObject({ status: 502, code: 'upstream_protocol' });
  });
});
