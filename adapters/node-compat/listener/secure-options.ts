import { constants } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { GatewayError } from '../../../src/index.ts';
import type { Secret } from '../../../src/index.ts';
import type { TlsTraits } from '../runtime.ts';
import type { CallerTrust } from './caller-trust.ts';

/** A TLS server of Node, as far as its certificates are concerned. */
export interface SecureServer {
  setSecureContext(options: SecureContextOptions): void;
}

/** What decides a handshake. */
export interface Presented {
  /** Leaf first. */
  readonly chainPem: string;
  /** PKCS#8 PEM. */
  readonly privateKey: Secret;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** By their OpenSSL names; undefined for those of the runtime. A version without any is not spoken. */
  readonly ciphers?: readonly string[] | undefined;
  /** Undefined where callers are not asked for certificates. */
  readonly callers: CallerTrust | undefined;
}

/** All that node:tls has to know of an identity, each time: what setSecureContext is not given again is gone. */
export function secureOptions({ chainPem, privateKey, minVersion, ciphers, callers }: Presented): SecureContextOptions {
  // who resumes a session is asked neither for a certificate nor for its dates, its authority or its revocation
  const options = ONE_HANDSHAKE | (callers ? constants.SSL_OP_NO_TICKET : 0);
  return {
    cert: chainPem,
    key: privateKey.reveal(),
    minVersion,
    ...(ciphers && { ciphers: ciphers.join(':') }),
    secureOptions: options,
    ...(callers && callerOptions(callers)),
  };
}

/**
 * Under TLS 1.2 a client may begin a second handshake and show another certificate in it. Node then tells that one, and
 * goes on calling the connection authorised, whoever issued it.
 */
const ONE_HANDSHAKE = constants.SSL_OP_NO_RENEGOTIATION;

function callerOptions({ anchors, unrooted, crls, passesUnlisted }: CallerTrust): SecureContextOptions {
  return {
    ca: anchors.map(({ pem }) => pem),
    // enough on Bun; Node's server is told in another way
    ...(unrooted && { allowPartialTrustChain: true }),
    // one by one: of several in a text Node up to 24 reads the first only
    ...(crls.length > 0 && !passesUnlisted && { crl: [...crls] }),
  };
}

/**
 * Serves new connections with this identity from now on.
 *
 * @throws GatewayError capability_unsupported, with the identity before still in place
 */
export function presentOn(server: SecureServer, identity: Presented, { trustsIntermediates }: TlsTraits): void {
  const trustIntermediates = identity.callers?.unrooted && !trustsIntermediates ? intermediateTrust(server) : undefined;
  server.setSecureContext(secureOptions(identity));
  trustIntermediates?.();
}

/**
 * OpenSSL alone insists on a self-signed anchor. `allowPartialTrustChain` is an option of createSecureContext which
 * Node's TLS server does not pass on (Node 26), and it takes no context made by others; so its own is told, by the call
 * createSecureContext makes. It is not documented, hence the look before the leap.
 */
function intermediateTrust(server: SecureServer): () => void {
  const native = () => (server as { _sharedCreds?: NativeContext })._sharedCreds?.context;
  if (typeof native()?.setAllowPartialTrustChain === 'function') return () => native()?.setAllowPartialTrustChain?.();
  throw new GatewayError(
    'capability_unsupported',
    'this version of the runtime trusts no intermediate as a client CA',
    {
      hint: 'give the root it leads to as well',
    },
  );
}

interface NativeContext {
  readonly context?: { setAllowPartialTrustChain?(): void };
}

/**
 * Finds out beforehand whether OpenSSL takes certificate, key and client CAs.
 *
 * @throws GatewayError capability_unsupported when it does not (an RSA key of 1024 bits).
 */
export function tryOut(identity: Presented): void {
  try {
    createSecureContext(secureOptions(identity));
  } catch (error) {
    const { code: reason } = error as { code?: string };
    throw new GatewayError(
      'capability_unsupported',
      "the TLS library of this platform refuses the listener's certificates or key",
      { hint: 'use RSA 2048 or more, EC P-256 or P-384, or Ed25519', details: { reason } },
    );
  }
}
