import { expect, test } from 'vitest';
import { exportOf } from '../../../src/import/own-export.ts';
import { missingIn, onlyGateway, opened, readFile } from '../../support/imports.ts';

const VIEW = {
  id: 'AAAA',
  name: 'Warehouse',
  slug: 'warehouse',
  url: 'https://warehouse.example.com/mcp?region=eu',
  description: null,
  transport: 'STREAMABLEHTTP',
  prefix: '',
  enabled: false,
  eras: ['legacy'],
  toolCount: 3,
  passthroughHeaders: [],
  authType: 'authheaders',
  authHeaderKey: 'X-Key',
  authHeaderValue: '*****',
  authHeaders: [{ key: 'X-Key', value: '*****' }],
  authValue: '*****',
  caCertificate: 'CA',
  caMode: 'only',
  clientCert: 'CERT',
  clientKey: '*****',
  clientKeyPassword: null,
  checkHostname: true,
  verify: true,
  minTlsVersion: 'TLSv1.2',
  pins: [],
  next: { caCertificate: null, clientCert: 'NEXT', clientKey: '*****', clientKeyPassword: null },
  tags: ['a'],
  visibility: 'public',
  gatewayMode: 'cache',
  oneTimeAuth: false,
  tls: { fingerprint: 'x' },
};
const SERVER = {
  id: 'BBBB',
  name: 'Desk',
  slug: 'desk',
  enabled: true,
  clientAuth: 'required',
  members: [{ gateway: 'warehouse', tags: null, prefix: '', tools: ['echo'], denyTools: [], aliases: {} }],
  associatedTools: ['echo'],
  visibility: 'public',
};
const NOW = new Date('2026-11-21T10:00:00Z');
const written = exportOf([VIEW], [SERVER], NOW);

test('what is written holds what can be written again, without secrets and defaults', () => {
  expect(written).toEqual({
    format: 'postern export',
    version: 1,
    exportedAt: '2026-11-21T10:00:00.000Z',
    gateways: [
      {
        name: 'Warehouse',
        slug: 'warehouse',
        url: 'https://warehouse.example.com/mcp?region=eu',
        transport: 'STREAMABLEHTTP',
        prefix: '',
        enabled: false,
        authType: 'authheaders',
        authHeaders: [{ key: 'X-Key', value: '*****' }],
        caCertificate: 'CA',
        caMode: 'only',
        clientCert: 'CERT',
        clientKey: '*****',
        next: { clientCert: 'NEXT', clientKey: '*****' },
        tags: ['a'],
      },
    ],
    servers: [
      {
        name: 'Desk',
        id: 'BBBB',
        slug: 'desk',
        clientAuth: 'required',
        members: [{ gateway: 'warehouse', prefix: '', tools: ['echo'] }],
      },
    ],
  });
});

test('read back, every secret is missing until it is supplied', () => {
  const file = readFile(written);
  expect(file.format).toBe('export of Postern');
  const ids = ['Warehouse.auth_headers.X-Key', 'Warehouse.client_key', 'Warehouse.next.client_key'];
  const [gateway] = file.entries;
  expect(gateway && missingIn(gateway)).toEqual(ids);

  const inputs = Object.fromEntries(ids.map((id) => [id, `canary ${id}`]));
  const [complete, server] = readFile(written, { inputs }).entries;
  expect(complete).toMatchObject({ problems: [], enabled: false });
  expect(opened(complete?.body)).toMatchObject({
    name: 'Warehouse',
    prefix: '',
    url: { secret: VIEW.url, shown: 'https://warehouse.example.com/mcp?region=*****' },
    authHeaders: [{ key: 'X-Key', value: { secret: 'canary Warehouse.auth_headers.X-Key' } }],
    clientKey: { secret: 'canary Warehouse.client_key' },
    next: { clientCert: 'NEXT', clientKey: { secret: 'canary Warehouse.next.client_key' } },
  });
  expect(server).toEqual({
    kind: 'server',
    source: 'Desk',
    enabled: true,
    problems: [],
    changes: [],
    body: { name: 'Desk', id: 'BBBB', clientAuth: 'required' },
    members: [{ gateway: 'warehouse', rule: { prefix: '', tools: ['echo'] } }],
  });
});

test('a program: its environment is supplied by name', () => {
  const view = {
    name: 'files',
    slug: 'files',
    transport: 'STDIO',
    command: 'npx',
    args: ['srv'],
    env: { API_KEY: '*****' },
    prefix: 'files_',
  };
  const file = exportOf([view], [], NOW);
  expect(missingIn(onlyGateway(file))).toEqual(['files.env.API_KEY']);
  expect(opened(onlyGateway(file, { inputs: { 'files.env.API_KEY': 'canary' } }).body)).toMatchObject({
    command: 'npx',
    env: { API_KEY: { secret: 'canary' } },
  });
});

test('what `gateways list --json` prints is read too; a slug of another name is told', () => {
  const entry = onlyGateway([{ ...VIEW, name: 'Storehouse' }]);
  expect(entry).toMatchObject({ slug: 'warehouse', changes: [expect.stringContaining('warehouse')] });
  expect(entry.body).not.toHaveProperty('authHeaderKey');
});

test('the export of a later version is refused', () => {
  expect(() => readFile({ ...written, version: 2 })).toThrow('expected version 1');
});
