import { expect, test } from 'vitest';
import { namedFiles } from '../../../src/registry/named-files.ts';

test('every file of the TLS side is named once, that of the identity to come and of what is retiring included', () => {
  const tls = {
    caCertificate: { file: '/certs/ca.pem' },
    clientCert: { file: '/certs/both.pem' },
    clientKey: { file: '/certs/both.pem' },
    clientKeyPassword: { sealed: 'x' },
    crl: { file: '/certs/list.crl' },
    pins: ['pin'],
    serverName: 'up',
    verify: undefined,
    next: {
      caCertificate: { pem: 'text' },
      clientCert: { file: '/certs/next.crt' },
      clientKey: { file: '/certs/next.key' },
    },
    retiring: { caCertificate: { file: '/certs/old-ca.pem' }, clientKey: { sealed: 'y' } },
  };
  expect(namedFiles({ tls })).toEqual([
    '/certs/ca.pem',
    '/certs/both.pem',
    '/certs/list.crl',
    '/certs/next.crt',
    '/certs/next.key',
    '/certs/old-ca.pem',
  ]);
});

test('a gateway given by text names none', () => {
  expect(namedFiles({ tls: {} })).toEqual([]);
  expect(namedFiles({ tls: { caCertificate: { pem: 'text' }, clientKey: { sealed: 'x' } } })).toEqual([]);
});
