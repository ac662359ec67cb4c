import type { Runtime } from '../node-compat/runtime.ts';

/** HTTP/2 is left out: undici would carry all calls of an upstream on one connection, and one loss would cut them all. */
export const NODE: Runtime = Object.freeze({
  name: 'Node',
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
    staple: true,
    hotSwap: true,
    ciphers: true,
  }),
  tls: Object.freeze({
    checksCrls: true,
    completesChains: false,
    trustsIntermediates: false,
    explainsVerification: true,
  }),
  stores: {},
});
