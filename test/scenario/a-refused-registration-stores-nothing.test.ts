import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startMcpUpstream } from '../support/mcp-upstream.ts';
import type { McpUpstream, McpUpstreamTls } from '../support/mcp-upstream.ts';
import { keyForm, mintPki } from '../support/pki.ts';
import type { MintedCa, MintedCertificate } from '../support/pki.ts';

const HOUR_MS = 3_600_000;
let ca: MintedCa;
let otherCa: MintedCa;
let server: MintedCertificate;
let client: MintedCertificate;
let gateway: TestGateway;
let upstream: McpUpstream | undefined;

beforeAll(async () => {
  const pki = await mintPki();
  ca = await pki.ca('CA');
  otherCa = await pki.ca('Other CA');
  server = await ca.issue({ cn: 'server', ip: ['127.0.0.1'] });
  client = await ca.issue({ cn: 'client' });
});
beforeEach(async () => {
  gateway = await startGateway();
});
afterEach(async () => {
  await gateway.close();
  await upstream?.close();
  upstream = undefined;
});

/** Registers, expects a refusal, and that nothing is there afterwards. */
async function refusal(fields: object, query = ''): Promise<string> {
  const response = await gateway.api('POST', `/v1/gateways${query}`, {
    name: 'up',
    url: 'https://127.0.0.1:9/mcp',
    ...fields,
  });
  const { code, message, hint } = (await response.json()) as Record<string, string>;
  expect(await (await gateway.api('GET', '/v1/gateways?include_inactive=true')).json()).toEqual([]);
  expect(await gateway.gateway.records.ids('gateway')).toEqual([]);
  expect(await gateway.gateway.records.ids('listing')).toEqual([]);
  expect(message?.length, `a sentence for ${code}`).toBeGreaterThan(10);
  if (response.status === 502) expect(hint, `a hint for ${code}`).toBeDefined();
  return `${response.status} ${code}`;
}

describe('what can be known without dialling is refused without dialling', () => {
  const identity = () => ({ client_cert: client.chainPem, client_key: client.keyPem });

  test.each<[string, () => object | Promise<object>, string]>([
    ['certificate without key', () => ({ client_cert: client.chainPem }), '422 key_missing'],
    ['key without certificate', () => ({ client_key: client.keyPem }), '422 certificate_missing'],
    ['bundle as certificate only', () => ({ client_cert: client.bundlePem }), '422 key_missing'],
    ['mismatched key', () => ({ ...identity(), client_key: server.keyPem }), '422 key_mismatch'],
    ['certificate as key', () => ({ ...identity(), client_key: client.certPem }), '422 key_unreadable'],
    ['unreadable certificate', () => ({ ...identity(), client_cert: 'no pem' }), '422 certificate_unreadable'],
    ['unreadable key', () => ({ ...identity(), client_key: 'no pem' }), '422 key_unreadable'],
    [
      'wrong passphrase',
      () => ({
        ...identity(),
        client_key: keyForm(client.keyPem, { passphrase: 'right' }),
        client_key_password: 'wrong',
      }),
      '422 key_passphrase_wrong',
    ],
    [
      'expired certificate',
      async () => identityOf(await ca.issue({ cn: 'c', notBefore: ago(48), notAfter: ago(24) })),
      '422 certificate_expired',
    ],
    [
      'certificate not yet valid',
      async () => identityOf(await ca.issue({ cn: 'c', notBefore: ago(-24), notAfter: ago(-48) })),
      '422 certificate_not_yet_valid',
    ],
    [
      'certificate for servers',
      async () => identityOf(await ca.issue({ cn: 'c', eku: 'server' })),
      '422 certificate_wrong_purpose',
    ],
    ['unreadable CA', () => ({ ca_certificate: 'no pem' }), '422 ca_unreadable'],
    ['CA that is none', () => ({ ca_certificate: server.certPem }), '422 ca_not_a_ca'],
    ['unreadable revocation list', () => ({ crl: ca.pem }), '422 crl_unreadable'],
    ['pin that is none', () => ({ pins: ['abc'] }), '422 pin_invalid'],
    ['path outside the certificate folders', () => ({ ca_certificate: '/etc/passwd' }), '422 file_refused'],
    ['no verification without consent', () => ({ verify: false }), '422 insecure_tls_refused'],
    ['no host check without consent', () => ({ check_hostname: false }), '422 insecure_tls_refused'],
    ['metadata address', () => ({ url: 'http://169.254.169.254/' }), '422 url_refused'],
    ['TLS fields for http', () => ({ url: 'http://127.0.0.1:9/', ca_certificate: ca.pem }), '422 config_invalid'],
    [
      'OAuth',
      () => ({ auth_type: 'oauth', oauth_config: { grant_type: 'client_credentials' } }),
      '422 feature_unsupported',
    ],
    ['unknown field', () => ({ verfy: true }), '400 request_invalid'],
    [
      'next identity that does not match',
      () => ({ next: { ...identity(), client_key: server.keyPem } }),
      '422 key_mismatch',
    ],
  ])('%s', async (_what, fields, expected) => {
    expect(await refusal(await fields(), '?connect=false')).toBe(expected);
    expect(gateway.countOf('connection.opened')).toBe(0);
  });
});

describe('what only a handshake tells is found by connecting before storing', () => {
  const strict = async (tls: Partial<McpUpstreamTls> = {}) => {
    upstream = await startMcpUpstream({
      tls: { cert: server.chainPem, key: server.keyPem, ca: ca.pem, requireClientCertificate: true, ...tls },
    });
    return { url: upstream.url, ca_certificate: ca.pem, client_cert: client.chainPem, client_key: client.keyPem };
  };
  const serving = async (minted: MintedCertificate) => strict({ cert: minted.chainPem, key: minted.keyPem });

  test.each<[string, () => Promise<object>, string]>([
    ['unknown CA', async () => ({ ...(await strict()), ca_certificate: otherCa.pem }), 'tls_unknown_ca'],
    [
      'wrong host',
      async () => serving(await ca.issue({ cn: 's', dns: ['elsewhere.example'] })),
      'tls_server_wrong_host',
    ],
    [
      'expired server',
      async () => serving(await ca.issue({ cn: 's', ip: ['127.0.0.1'], notBefore: ago(48), notAfter: ago(24) })),
      'tls_server_expired',
    ],
    [
      'server not yet valid',
      async () => serving(await ca.issue({ cn: 's', ip: ['127.0.0.1'], notBefore: ago(-24), notAfter: ago(-48) })),
      'tls_server_not_yet_valid',
    ],
    [
      'server certificate for clients',
      async () => serving(await ca.issue({ cn: 's', ip: ['127.0.0.1'], eku: 'client' })),
      'tls_server_wrong_purpose',
    ],
    [
      'client certificate missing',
      async () => ({ ...(await strict()), client_cert: null, client_key: null }),
      'tls_client_certificate_required',
    ],
    [
      'client certificate refused without a word',
      async () => ({ ...(await strict()), ...identityOf(await otherCa.issue({ cn: 'c' })) }),
      'connection_lost',
    ],
    [
      'server revoked',
      async () => ({ ...(await strict()), crl: await ca.crl([server.serialNumber]) }),
      'tls_server_revoked',
    ],
    [
      'pin of another server',
      async () => ({ ...(await strict()), pins: [client.certificate.facts.spkiPin] }),
      'tls_pin_mismatch',
    ],
    [
      'TLS older than asked for',
      async () => ({ ...(await strict({ maxVersion: 'TLSv1.2' })), min_tls_version: 'TLSv1.3' }),
      'tls_version_unsupported',
    ],
    [
      'TLS 1.1',
      async () => strict({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
      'tls_version_unsupported',
    ],
    ['plain HTTP on the port', async () => plain(), 'tls_not_spoken'],
    ['nobody listening', async () => ({ url: `https://127.0.0.1:${await freedPort()}/mcp` }), 'tcp_refused'],
    ['wrong token', async () => unauthorized(), 'upstream_auth_refused'],
  ])('%s', async (_what, fields, code) => {
    const startedMs = performance.now();
    expect(await refusal(await fields())).toBe(`502 ${code}`);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });

  const plain = async () => {
    upstream = await startMcpUpstream();
    return { url: upstream.url.replace('http:', 'https:') };
  };

  const unauthorized = async () => {
    upstream = await startMcpUpstream();
    upstream.intercept = () => new Response('no', { status: 401 });
    return { url: upstream.url, auth_type: 'bearer', auth_token: 'wrong' };
  };
});

const ago = (hours: number): Date => new Date(Date.now() - hours * HOUR_MS);
const identityOf = ({ chainPem, keyPem }: MintedCertificate) => ({ client_cert: chainPem, client_key: keyPem });

async function freedPort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
