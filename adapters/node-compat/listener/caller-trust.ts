import { GatewayError, openCallerAnchors, openCallerCrls } from '../../../src/index.ts';
import type { CallerAnchors, CallerCrls, SettingValues } from '../../../src/index.ts';
import { readPins } from './caller-rules.ts';
import { readNamed } from './named-file.ts';

/** Whom callers' certificates are checked against. */
export interface CallerTrust extends CallerAnchors, CallerCrls {
  /** Whether a caller without a certificate is refused. */
  readonly isRequired: boolean;
  /** SHA-256 of their SubjectPublicKeyInfo, base64; none means any key. */
  readonly pins?: readonly string[];
  /** Between a caller's certificate and its authority; undefined means as many as OpenSSL takes. */
  readonly maxIntermediates?: number | undefined;
}

/**
 * The client CAs and their revocation lists from their files; undefined where callers are not asked for certificates.
 *
 * @throws GatewayError file_refused and the codes of CAs, revocation lists and pins
 */
export async function readCallerTrust(settings: SettingValues, nowMs: number): Promise<CallerTrust | undefined> {
  const { clientAuth, clientCa, clientCrl, clientChainDepth } = settings;
  if (clientAuth === 'none') return undefined;
  // OpenSSL would take the public roots, and with them anybody's certificate
  if (clientCa === undefined)
    throw new GatewayError('config_invalid', 'callers are asked for certificates, and nobody vouches for them', {
      hint: 'set CA_CERTS (--client-ca)',
    });
  const trust = await readNamed(clientCa, (pem) => openCallerAnchors(pem, nowMs));
  const lists: CallerCrls =
    clientCrl === undefined
      ? { crls: [], nextUpdate: undefined }
      : await readNamed(clientCrl, (pem) => openCallerCrls(pem, trust, nowMs));
  const pins = await readPins(settings);
  return { ...trust, ...lists, pins, maxIntermediates: clientChainDepth, isRequired: clientAuth === 'required' };
}
