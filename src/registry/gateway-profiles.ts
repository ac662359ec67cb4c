import type { Clock } from '../base/clock.ts';
import { toGatewayError } from '../base/errors.ts';
import type { GatewayError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import type { Certificate } from '../pki/certificate.ts';
import { parseCertificates } from '../pki/parse.ts';
import type { FileReader } from '../platform.ts';
import { fingerprintOf } from '../tls/fingerprint.ts';
import type { ListReader } from '../tls/lists/list-feeds.ts';
import { openProfile, requireCapabilities } from '../tls/open-profile.ts';
import type { OpenProfileOptions } from '../tls/open-profile.ts';
import type { ClientIdentity, TlsMaterial, TlsProfile, TrustBundle } from '../tls/profile.ts';
import { isFile, isUrls } from './gateway-record.ts';
import type { GatewayIdentity, GatewayTls, KeySource, ListSource, NextIdentity, PemSource } from './gateway-record.ts';

/** Which of a gateway's identities something is about. */
export type IdentityName = 'current' | 'next' | 'retiring';

/** One identity of a gateway with the trust that came with it; undefined where it has none of its own. */
export interface OpenedIdentity {
  readonly identity: ClientIdentity | undefined;
  readonly trust: TrustBundle | undefined;
}

/** What the TLS side of a gateway stands for, its secrets opened and its files read. */
export interface GatewayProfiles {
  /** What is dialled with, unless another identity stands in: the current one, and the trust of all. */
  readonly main: TlsProfile;
  readonly current: OpenedIdentity;
  readonly next: OpenedIdentity | undefined;
  readonly retiring: OpenedIdentity | undefined;
  /** Why the next or the retiring identity cannot be used; the current one can. */
  readonly refusal: GatewayError | undefined;
}

/** What opening them takes. */
export interface OpenProfilesOptions extends Omit<OpenProfileOptions, 'nowMs' | 'alsoTrusted'> {
  readonly readFile: FileReader;
  readonly readList: ListReader;
  /** Whether servers pass of which no current list says anything (POSTERN_REVOCATION_FAILURE). */
  readonly revocationFailure: 'closed' | 'open';
  readonly clock: Clock;
}

/**
 * Reads the files of a TLS side and builds its profiles. While there is more than one identity, the server may be on
 * either side of its move, so whoever any of them trusts is believed; what is presented is the current one.
 *
 * @throws GatewayError file_refused and every config code
 */
export async function openProfiles(tls: GatewayTls<Secret>, options: OpenProfilesOptions): Promise<GatewayProfiles> {
  const { readFile, clock } = options;
  const nowMs = clock.nowMs();
  const [next, retiring] = await Promise.all([
    tls.next && openOther(tls.next, tls.caMode, first(nowMs), options),
    tls.retiring && openOther(tls.retiring, tls.caMode, last(nowMs), options),
  ]);
  const caCertificate = await textOf(tls.caCertificate, readFile);
  const alsoTrusted = [next?.trust, retiring?.trust].filter((trust) => trust !== undefined);
  if (tls.retiring?.defaultSet) alsoTrusted.push({ mode: 'system' });
  const material: TlsMaterial = {
    ...(await identityOf(tls, readFile)),
    caCertificate,
    caMode: tls.caMode,
    serverName: tls.serverName,
    checkHostname: tls.checkHostname,
    verify: tls.verify,
    minVersion: tls.minTlsVersion,
    crl: await listsOf(tls.crl, { caCertificate, alsoTrusted, options }),
    revocation: tls.revocation,
    pins: tls.pins,
  };
  const main = await openProfile(material, { ...options, nowMs, alsoTrusted });
  const ownMaterial = { caCertificate, caMode: tls.caMode };
  const { trust } = alsoTrusted.length === 0 ? main : await openProfile(ownMaterial, { ...options, nowMs });
  const current = { identity: main.identity, trust };
  return { main, current, next, retiring, refusal: next?.refusal ?? retiring?.refusal };
}

/** The profile a gateway is dialled with when it presents this identity; undefined when there is none of that name. */
export function profileWith(profiles: GatewayProfiles, name: IdentityName): TlsProfile | undefined {
  if (name === 'current') return profiles.main;
  const identity = profiles[name]?.identity;
  return identity && profileBut({ identity }, profiles.main);
}

/** The same profile, but with whom another one believes. */
export function believingAs({ trust, crls, ocsp, pins, verify }: TlsProfile, profile: TlsProfile): TlsProfile {
  return profileBut({ trust, crls, ocsp, pins, verify }, profile);
}

function profileBut(change: Partial<TlsProfile>, before: TlsProfile): TlsProfile {
  const { fingerprint: _, ...parts } = { ...before, ...change };
  return Object.freeze({ ...parts, fingerprint: fingerprintOf(parts) });
}

/** Which identity somebody who dials with this profile presents. */
export function presentedBy({ fingerprint }: TlsProfile, profiles: GatewayProfiles): IdentityName {
  const others = ['next', 'retiring'] as const;
  if (fingerprint === profiles.main.fingerprint) return 'current';
  return others.find((name) => profileWith(profiles, name)?.fingerprint === fingerprint) ?? 'current';
}

/** Names everything that was opened: two with the same name present and believe the same. */
export function profilesName(profiles: GatewayProfiles | undefined): string {
  const names = ['current', 'next', 'retiring'] as const;
  return names.map((name) => profiles && profileWith(profiles, name)?.fingerprint).join();
}

/** Names what a profile stands for but for its revocation lists, which are renewed without anybody changing anything. */
export function materialName(profile: TlsProfile | undefined): string | undefined {
  return profile && fingerprintOf({ ...profile, crls: [] });
}

/** When to look at certificates, by their dates: at one end of their time, should now be beyond it. */
type Moment = (notBeforeMs: readonly number[], notAfterMs: readonly number[]) => number;

/** An identity to come may begin in the future. */
const first =
  (nowMs: number): Moment =>
  (notBeforeMs) =>
    Math.max(nowMs, ...notBeforeMs);

/** One that goes may have run out: that is why it goes, and no reason not to serve. */
const last =
  (nowMs: number): Moment =>
  (_, notAfterMs) =>
    Math.min(nowMs, ...notAfterMs);

/** Its trust and its identity each for itself, so that a certificate which cannot be used takes nobody's trust away. */
async function openOther(
  other: NextIdentity<Secret>,
  mode: GatewayTls<Secret>['caMode'],
  moment: Moment,
  options: OpenProfilesOptions,
): Promise<OpenedIdentity & { readonly refusal: GatewayError | undefined }> {
  let refusal: GatewayError | undefined;
  const open = async (read: () => Promise<TlsMaterial>): Promise<TlsProfile | undefined> => {
    try {
      const material = await read();
      requireCapabilities(material, options.capabilities);
      return await openProfile(material, { ...options, nowMs: await momentOf(material, moment) });
    } catch (error) {
      refusal ??= toGatewayError(error);
      return undefined;
    }
  };
  const { caCertificate } = other;
  const identified = await open(() => identityOf(other, options.readFile));
  const trusting =
    caCertificate &&
    (await open(async () => ({ caCertificate: await textOf(caCertificate, options.readFile), caMode: mode })));
  return { identity: identified?.identity, trust: trusting?.trust, refusal };
}

async function momentOf({ clientCertificate, caCertificate }: TlsMaterial, moment: Moment): Promise<number> {
  const certificates = [
    ...(clientCertificate === undefined ? [] : await parseCertificates(clientCertificate, 'certificate_unreadable')),
    ...(caCertificate === undefined ? [] : await parseCertificates(caCertificate, 'ca_unreadable')),
  ];
  return moment(
    certificates.map(({ facts }) => Date.parse(facts.notBefore)),
    certificates.map(({ facts }) => Date.parse(facts.notAfter)),
  );
}

async function identityOf(
  { clientCert, clientKey, clientKeyPassword, clientBinding }: GatewayIdentity<Secret>,
  readFile: FileReader,
): Promise<Pick<TlsMaterial, 'clientCertificate' | 'clientKey' | 'clientKeyPassword' | 'clientBinding'>> {
  return {
    clientCertificate: await textOf(clientCert, readFile),
    clientKey: await keyOf(clientKey, readFile),
    clientKeyPassword,
    clientBinding,
  };
}

async function textOf(source: PemSource | undefined, readFile: FileReader): Promise<string | undefined> {
  return source && (isFile(source) ? readFile(source.file) : source.pem);
}

/** Lists by URL are believed of authorities we trust, which nobody on the way can be. */
async function listsOf(
  source: ListSource | undefined,
  trusted: {
    readonly caCertificate: string | undefined;
    readonly alsoTrusted: readonly TrustBundle[];
    readonly options: OpenProfilesOptions;
  },
): Promise<string | undefined> {
  const { caCertificate, alsoTrusted, options } = trusted;
  if (source === undefined || !isUrls(source)) return textOf(source, options.readFile);
  requireCapabilities({ crl: '' }, options.capabilities);
  const authorities = [
    ...(caCertificate === undefined ? [] : await parseCertificates(caCertificate, 'ca_unreadable')),
    ...alsoTrusted.flatMap((trust) => (trust.mode === 'system' ? [] : trust.anchors)),
  ];
  const lists = await Promise.all(source.urls.map((url) => listOrNothing(url, authorities, options)));
  return lists.join('') || undefined;
}

async function listOrNothing(
  url: string,
  authorities: readonly Certificate[],
  { readList, revocationFailure }: OpenProfilesOptions,
): Promise<string> {
  try {
    return await readList(url, authorities);
  } catch (error) {
    // reported by whoever fetches it
    if (revocationFailure === 'open' && toGatewayError(error).code === 'crl_unavailable') return '';
    throw error;
  }
}

async function keyOf(source: KeySource<Secret> | undefined, readFile: FileReader): Promise<Secret | undefined> {
  return source && (isFile(source) ? new Secret(await readFile(source.file)) : source);
}
