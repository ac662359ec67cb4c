import { crossSign } from './cross-sign.ts';
import { mintPki } from './pki.ts';
import type { MintedCa, MintedCertificate } from './pki.ts';
import type { ListenerRefusal } from '../../src/base/listener-refusal.ts';

/** A certificate, its key and what is shown above it. */
export type Shown = Pick<MintedCertificate, 'chainPem' | 'keyPem'>;

/** What somebody shows a listener, and what has to come of it. */
export interface CallerCase {
  readonly shown: Shown | undefined;
  /** Why the listener refuses it where it asks for certificates; undefined where it does not. */
  readonly refusal?: ListenerRefusal;
  /** Who it is then; undefined where the connection stands and nobody is known. */
  readonly subject?: string;
}

/** Authorities of callers, and everything that may be wrong with a certificate. */
export interface CallerCases {
  /** Of the listener, for `localhost`. */
  readonly server: MintedCertificate;
  readonly serverCa: MintedCa;
  readonly ours: MintedCa;
  readonly partners: MintedCa;
  /** Those of every good key, and of the bad ones whose fault is another. */
  readonly pins: readonly string[];
  /** POSTERN_CLIENT_SUBJECT: partners have a rule of their own. */
  readonly rules: readonly string[];
  readonly maxIntermediates: number;
  /** A list of `ours`, and an empty one of `partners`. */
  readonly crls: readonly string[];
  /** By what is wrong. */
  readonly cases: ReadonlyMap<string, CallerCase>;
  /** Those that hold only where nobody looks at revocation lists: none are there of intermediates. */
  readonly withIntermediates: ReadonlySet<string>;
}

const HOUR_MS = 3_600_000;
const at = (hours: number): Date => new Date(Date.now() + hours * HOUR_MS);

export async function mintCallerCases(): Promise<CallerCases> {
  const pki = await mintPki();
  const [serverCa, ours, partners, foreign, ambitious] = (await Promise.all(
    ['Server CA', 'Ours', 'Partners CA', 'Foreign', 'Ambitious'].map((name) => pki.ca(name)),
  )) as [MintedCa, MintedCa, MintedCa, MintedCa, MintedCa];
  const server = await serverCa.issue({ cn: 'localhost', dns: ['localhost'], eku: 'server' });
  const once = await ours.intermediate('Once removed');
  const twice = await once.intermediate('Twice removed');
  const client = (ca: MintedCa, cn: string, more: Partial<Parameters<MintedCa['issue']>[0]> = {}) =>
    ca.issue({ cn, eku: 'client', ...more });
  const minted = {
    good: await client(ours, 'good'),
    'below an intermediate': await client(once, 'below'),
    'of a partner': await client(partners, 'partner', { dns: ['app.partner.example'] }),
    'of a partner, with a name of ours': await client(partners, 'good', { dns: ['good'] }),
    'of another CA': await client(foreign, 'good'),
    expired: await client(ours, 'good', { notBefore: at(-2), notAfter: at(-1) }),
    'not yet valid': await client(ours, 'good', { notBefore: at(1) }),
    'for servers': await client(ours, 'good', { eku: 'server' }),
    'below two intermediates': await client(twice, 'good'),
    'self-signed': await pki.selfSigned({ cn: 'good' }),
    revoked: await client(ours, 'revoked'),
  };
  const cases: Record<string, CallerCase> = {
    good: { shown: minted.good, subject: 'good' },
    none: { shown: undefined, refusal: 'certificate_missing' },
    'below an intermediate': { shown: minted['below an intermediate'], subject: 'below' },
    'of a partner': { shown: minted['of a partner'], subject: 'app.partner.example' },
    'of a partner, with a name of ours': { shown: minted['of a partner, with a name of ours'] },
    'of another CA': { shown: minted['of another CA'], refusal: 'certificate_untrusted' },
    'self-signed': { shown: minted['self-signed'], refusal: 'certificate_untrusted' },
    expired: { shown: minted.expired, refusal: 'certificate_expired' },
    'not yet valid': { shown: minted['not yet valid'], refusal: 'certificate_not_yet_valid' },
    'for servers': { shown: minted['for servers'], refusal: 'certificate_wrong_purpose' },
    'below two intermediates': { shown: minted['below two intermediates'], refusal: 'chain_too_deep' },
    'of another key': { shown: await client(ours, 'good'), refusal: 'key_not_pinned' },
    'an authority': {
      shown: { chainPem: await crossSign(ours, ambitious, 'anything'), keyPem: ambitious.keyPem },
      refusal: 'certificate_is_a_ca',
    },
    revoked: { shown: minted.revoked, refusal: 'certificate_revoked' },
  };
  return {
    server,
    serverCa,
    ours,
    partners,
    pins: Object.values(minted).map(({ certificate }) => certificate.facts.spkiPin),
    rules: ['Partners CA/dns=*.partner.example', 'uri', 'dns', 'email', 'cn'],
    maxIntermediates: 1,
    crls: [await ours.crl([minted.revoked.serialNumber]), await partners.crl([])],
    cases: new Map(Object.entries(cases)),
    withIntermediates: new Set(['below an intermediate', 'below two intermediates']),
  };
}
