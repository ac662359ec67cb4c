import type { DialerCapabilities, ListenerCapabilities } from '../../src/index.ts';

/** What an adapter declares of its platform. */
interface Declared {
  readonly name: string;
  readonly dialer: DialerCapabilities;
  readonly listener: ListenerCapabilities;
}

/**
 * TLS is the platform's: whom to believe is fixed for all upstreams, who we are is one of its `mtls_certificates`, and
 * of a handshake nothing is seen but whether it went well.
 */
export const CLOUDFLARE: Declared = Object.freeze({
  name: 'Workers',
  dialer: Object.freeze({
    caOnly: false,
    caAdd: false,
    clientCertificate: true,
    encryptedKey: false,
    serverName: false,
    skipHostname: false,
    skipVerify: false,
    minVersion: false,
    crl: false,
    ocsp: false,
    pins: false,
    peerCertificate: false,
    http2: false,
    dynamicIdentity: false,
    binding: true,
    errorDetail: 'none',
    forceKill: true,
  }),
  listener: Object.freeze({
    requestCertificate: true,
    peerCertificate: false,
    crl: false,
    ocsp: false,
    staple: false,
    hotSwap: false,
    ciphers: false,
  }),
});
