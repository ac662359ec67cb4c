import { GatewayError, openCallerAnchors, openCallerCrls, toGatewayError } from '../../../src/index.ts';
import type { CallerAnchors, CallerCrls, ListReader, SettingValues } from '../../../src/index.ts';
import { readTextFile } from '../files/file-reader.ts';
import { readPins } from './caller-rules.ts';
import { named, readNamed } from './named-file.ts';

/** Whom callers' certificates are checked against. */
export interface CallerTrust extends CallerAnchors, CallerCrls {
  /** Whether a caller without a certificate is refused. */
  readonly isRequired: boolean;
  /** SHA-256 of their SubjectPublicKeyInfo, base64; none means any key. */
  readonly pins?: readonly string[];
  /** Between a caller's certificate and its authority; undefined means as many as OpenSSL takes. */
  readonly maxIntermediates?: number | undefined;
  /** Whether callers pass that the lists say nothing current of; they are looked up after the handshake then. */
  readonly passesUnlisted?: boolean;
}

/**
 * The client CAs and their revocation lists from where they are; undefined where callers are not asked for certificates.
 *
 * @param readList absent as long as nothing is fetched; lists are left out then, if any is to be
 * @throws GatewayError file_refused and the codes of CAs, revocation lists and pins
 */
export async function readCallerTrust(
  settings: SettingValues,
  nowMs: number,
  readList: ListReader | undefined,
): Promise<CallerTrust | undefined> {
  const { clientAuth, clientCa, clientCrl, clientChainDepth, revocationFailure } = settings;
  if (clientAuth === 'none') return undefined;
  // OpenSSL would take the public roots, and with them anybody's certificate
  if (clientCa === undefined)
    throw new GatewayError('config_invalid', 'callers are asked for certificates, and nobody vouches for them', {
      hint: 'set CA_CERTS (--client-ca)',
    });
  const trust = await readNamed(clientCa, (pem) => openCallerAnchors(pem, nowMs));
  const isRequired = clientAuth === 'required';
  const pins = await readPins(settings);
  const asked = { ...trust, pins, maxIntermediates: clientChainDepth, isRequired };
  if (clientCrl === undefined || (readList === undefined && fetchesLists(settings))) return { ...asked, ...NO_LISTS };
  const read = readList ?? (() => Promise.resolve(''));
  const texts = await Promise.all(clientCrl.map((source) => textOf(source, trust, read, revocationFailure)));
  const name = clientCrl.join(', ');
  const lists = await named(name, () => openCallerCrls(texts.join('\n'), trust, nowMs, revocationFailure));
  return { ...asked, ...lists, passesUnlisted: revocationFailure === 'open' };
}

const NO_LISTS: CallerCrls = { crls: [], nextUpdate: undefined };

/** Whether a list is fetched, and not read from a file. */
export const isUrl = (source: string): boolean => source.includes('://');

/** Whether some list of callers is fetched. */
export const fetchesLists = ({ clientAuth, clientCrl = [] }: SettingValues): boolean =>
  clientAuth !== 'none' && clientCrl.some(isUrl);

async function textOf(
  source: string,
  { anchors }: CallerAnchors,
  readList: ListReader,
  failure: 'closed' | 'open',
): Promise<string> {
  if (!isUrl(source)) return readTextFile(source);
  try {
    return await readList(source, anchors);
  } catch (error) {
    // reported by whoever fetches it
    if (failure === 'open' && toGatewayError(error).code === 'crl_unavailable') return '';
    throw error;
  }
}
