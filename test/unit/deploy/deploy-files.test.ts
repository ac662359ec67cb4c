/**
 * The files under deploy/ that no test can run: read, and held to what Postern needs of a proxy. Those of nginx, Caddy and
 * HAProxy are run by test/scenario/*-says-who-calls.test.ts.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parseConfig } from '../../../src/config.ts';
import { isInNetwork, parseNetwork } from '../../../src/base/networks.ts';
import { settingsFor } from '../../support/front-proxy.ts';

type Fields = Readonly<Record<string, unknown>>;

const DEPLOY = resolve(import.meta.dirname, '../../../deploy');

/** Every document of a file, a YAML error or a key that stands twice fails it. */
function documentsOf(file: string): Fields[] {
  const documents = parseAllDocuments(readFileSync(join(DEPLOY, file), 'utf8'), { uniqueKeys: true, strict: true });
  return documents.map((document) => {
    expect([...document.errors, ...document.warnings]).toEqual([]);
    return document.toJS() as Fields;
  });
}

/** What is at a path of keys and indices. */
function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce((inside, key) => (inside as Record<string | number, unknown> | undefined)?.[key], value);
}

const byKind = (documents: readonly Fields[], kind: string): Fields | undefined =>
  documents.find((document) => document['kind'] === kind);

/** What Postern would run with, as the Deployment has it. */
function settingsIn(documents: readonly Fields[]) {
  const env = at(byKind(documents, 'Deployment'), 'spec', 'template', 'spec', 'containers', 0, 'env');
  const pairs = (env as { name: string; value: string }[]).map(({ name, value }) => [name, value] as const);
  const { values, warnings } = parseConfig({ environment: Object.fromEntries(pairs) });
  expect(warnings).toEqual([]);
  return values;
}

describe('deploy/envoy/envoy.yaml', () => {
  const [config] = documentsOf('envoy/envoy.yaml');
  const chain = at(config, 'static_resources', 'listeners', 0, 'filter_chains', 0);
  const connections = at(chain, 'filters', 0, 'typed_config');

  test('asks for settings Postern starts with', async () => {
    const { values, warnings } = parseConfig({ environment: await settingsFor('envoy/envoy.yaml') });
    expect([values.trustProxyAuth, values.proxyUserHeader, warnings]).toEqual([true, 'X-Forwarded-Client-Cert', []]);
  });

  test('asks for a certificate, and hands on what it verified in place of what was sent', () => {
    expect(at(chain, 'transport_socket', 'typed_config')).toMatchObject({
      require_client_certificate: true,
      common_tls_context: { validation_context: { trusted_ca: { filename: '/etc/envoy/certs/ca.crt' } } },
    });
    expect(connections).toMatchObject({
      forward_client_cert_details: 'SANITIZE_SET',
      set_current_client_cert_details: { subject: true, cert: true, dns: true, uri: true },
      common_http_protocol_options: { headers_with_underscores_action: 'DROP_HEADER' },
    });
  });

  test('removes every other header Postern could be told to believe', () => {
    expect(at(connections, 'route_config', 'request_headers_to_remove')).toEqual(
      expect.arrayContaining([
        'x-authenticated-user',
        'x-user-organization',
        'x-ssl-client-verify',
        'x-ssl-client-s-dn',
        'x-ssl-client-s-dn-cn',
        'x-ssl-client-cert',
        'client-cert',
        'client-cert-chain',
        'x-real-ip',
        'forwarded',
      ]),
    );
  });

  test('lets event streams and WebSockets last', () => {
    expect(at(connections, 'upgrade_configs')).toEqual([{ upgrade_type: 'websocket' }]);
    expect(at(connections, 'route_config', 'virtual_hosts', 0, 'routes', 0, 'route')).toEqual({
      cluster: 'postern',
      timeout: '0s',
    });
  });
});

describe('deploy/kubernetes/ingress-nginx.yaml', () => {
  const documents = documentsOf('kubernetes/ingress-nginx.yaml');
  const annotations = at(byKind(documents, 'Ingress'), 'metadata', 'annotations') as Fields;

  test('asks for a certificate and hands it on, by annotations the controller has', () => {
    expect(annotations).toEqual(
      Object.fromEntries(
        Object.entries({
          'auth-tls-secret': 'mcp-system/gateway-client-ca',
          'auth-tls-verify-client': 'on',
          'auth-tls-verify-depth': '2',
          'auth-tls-pass-certificate-to-upstream': 'true',
          'proxy-read-timeout': '3600',
          'proxy-send-timeout': '3600',
          'proxy-body-size': '16m',
        }).map(([name, value]) => [`nginx.ingress.kubernetes.io/${name}`, value]),
      ),
    );
  });

  test('runs a Postern that starts, believes the controller and is reached by nobody else', () => {
    expect(settingsIn(documents)).toMatchObject({
      host: '0.0.0.0',
      trustProxyAuth: true,
      proxyUserHeader: 'ssl-client-cert',
      trustedProxies: ['10.244.0.0/16'],
    });
    const policy = byKind(documents, 'NetworkPolicy');
    expect(at(policy, 'spec', 'policyTypes')).toEqual(['Ingress']);
    expect(at(policy, 'spec', 'podSelector')).toEqual(at(byKind(documents, 'Deployment'), 'spec', 'selector'));
  });
});

describe('deploy/kubernetes/istio.yaml', () => {
  const documents = documentsOf('kubernetes/istio.yaml');

  test('lets nobody past the sidecar, which comes from 127.0.0.6', () => {
    expect(at(byKind(documents, 'PeerAuthentication'), 'spec', 'mtls')).toEqual({ mode: 'STRICT' });
    const { trustProxyAuth, proxyUserHeader, trustedProxies = [] } = settingsIn(documents);
    expect([trustProxyAuth, proxyUserHeader]).toEqual([true, 'X-Forwarded-Client-Cert']);
    const [network] = trustedProxies.flatMap((entry) => parseNetwork(entry) ?? []);
    expect(network && isInNetwork('127.0.0.6', network)).toBe(true);
    expect(network && isInNetwork('127.0.0.1', network)).toBe(false);
  });
});
