import type { Secret } from '../../src/index.ts';
import type { Runtime } from '../node-compat/runtime.ts';

/** Found by the contracts of test/contract, run on it. */
export const DENO: Runtime = Object.freeze({
  name: 'Deno',
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
    errorDetail: 'code',
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
    checksCrls: false,
    completesChains: false,
    trustsIntermediates: true,
    explainsVerification: false,
  }),
  stores: { 'deno-kv': async (storage: Secret) => (await import('./deno-kv.ts')).openDenoKv(storage) },
});
