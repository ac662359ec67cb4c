import { requireFetchSession } from './required-version.ts';
import type { Runtime } from '../node-compat/runtime.ts';

/** Found by the contracts of test/contract, run on it. */
export const BUN: Runtime = Object.freeze({
  name: 'Bun',
  dialer: Object.freeze({
    caOnly: true,
    caAdd: true,
    clientCertificate: true,
    encryptedKey: true,
    serverName: true,
    skipHostname: true,
    skipVerify: true,
    minVersion: true,
    crl: true,
    ocsp: true,
    pins: true,
    peerCertificate: true,
    http2: false,
    dynamicIdentity: true,
    binding: false,
    errorDetail: 'alert',
    forceKill: true,
  }),
  listener: Object.freeze({
    requestCertificate: true,
    peerCertificate: true,
    crl: true,
    ocsp: true,
    staple: false,
    hotSwap: true,
    ciphers: false,
  }),
  tls: Object.freeze({
    checksCrls: true,
    completesChains: true,
    trustsIntermediates: true,
    explainsVerification: true,
  }),
  stores: {},
  requireVersion: requireFetchSession,
});
