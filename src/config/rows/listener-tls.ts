import type { Secret } from '../../base/secret.ts';
import { optional, setting } from '../setting.ts';
import {
  ciphers,
  integer,
  listSources,
  oneOf,
  pinsOrFile,
  secret,
  someOf,
  subjectRules,
  text,
  truth,
} from '../values.ts';

/** Whether callers are asked for a certificate, and whether they must show one. */
export type ClientAuth = 'none' | 'optional' | 'required';

/** What responders are asked about: the certificates of callers, and our own. */
const OCSP_USES = ['callers', 'staple'] as const;
type OcspUse = (typeof OCSP_USES)[number];

/** What the listener shows, and whose certificates it takes. */
export const LISTENER_TLS_SETTINGS = {
  certFile: optional<string>({
    env: 'CERT_FILE',
    flag: 'tls-cert',
    placeholder: 'FILE',
    parse: text,
    help: 'certificate chain of the listener (PEM, leaf first); turns TLS on',
  }),
  keyFile: optional<string>({
    env: 'KEY_FILE',
    flag: 'tls-key',
    placeholder: 'FILE',
    parse: text,
    help: 'private key of the listener (PEM); default: the certificate file holds both',
  }),
  keyFilePassword: optional<Secret>({
    env: 'KEY_FILE_PASSWORD',
    inFile: false,
    placeholder: 'TEXT',
    masked: () => '*****',
    parse: secret,
    help: "passphrase of the listener's private key; by environment only",
  }),
  keyPasswordFile: optional<string>({
    env: 'POSTERN_TLS_KEY_PASSWORD_FILE',
    flag: 'tls-key-password-file',
    placeholder: 'FILE',
    parse: text,
    help: 'file that holds the passphrase',
  }),
  tlsMinVersion: setting<'TLSv1.2' | 'TLSv1.3'>({
    env: 'POSTERN_TLS_MIN_VERSION',
    flag: 'tls-min-version',
    placeholder: '1.2|1.3',
    parse: oneOf<'TLSv1.2' | 'TLSv1.3'>({
      '1.2': 'TLSv1.2',
      '1.3': 'TLSv1.3',
      'TLSv1.2': 'TLSv1.2',
      'TLSv1.3': 'TLSv1.3',
    }),
    fallback: 'TLSv1.2',
    help: 'oldest TLS version the listener speaks',
  }),
  clientCa: optional<string>({
    env: 'CA_CERTS',
    flag: 'client-ca',
    placeholder: 'FILE',
    parse: text,
    help: 'authorities whose certificates callers may show (PEM); an intermediate vouches for its own only',
  }),
  clientAuth: setting<ClientAuth>({
    env: 'CERT_REQS',
    flag: 'client-auth',
    placeholder: 'none|optional|required',
    parse: oneOf<ClientAuth>({
      none: 'none',
      optional: 'optional',
      required: 'required',
      0: 'none',
      1: 'optional',
      2: 'required',
    }),
    fallback: 'none',
    help: 'whether callers are asked for a certificate (0, 1 or 2 mean the same); a verified one is a credential of role user',
  }),
  clientCrl: optional<readonly string[]>({
    env: 'POSTERN_CLIENT_CRL',
    flag: 'client-crl',
    placeholder: 'FILE|URL',
    repeatable: true,
    parse: listSources,
    help: "revocation lists for callers' certificates: PEM files and http or https URLs, a current list of each authority",
  }),
  ocsp: setting<readonly OcspUse[]>({
    env: 'POSTERN_OCSP',
    placeholder: 'callers,staple',
    parse: someOf(OCSP_USES),
    fallback: [],
    help: "callers: their OCSP responders have to call their certificates good; staple: the listener shows its own certificate's status, on Node",
  }),
  revocationFailure: setting<'closed' | 'open'>({
    env: 'POSTERN_REVOCATION_FAILURE',
    placeholder: 'closed|open',
    parse: oneOf<'closed' | 'open'>({ closed: 'closed', open: 'open' }),
    fallback: 'closed',
    help: 'whether callers and servers pass (open) where revocation lists or OCSP say nothing current of them',
  }),
  tlsCiphers: optional<readonly string[]>({
    env: 'POSTERN_TLS_CIPHERS',
    flag: 'tls-ciphers',
    placeholder: 'NAMES',
    parse: ciphers,
    help: 'cipher suites of the listener by their OpenSSL names, for TLS 1.2 and 1.3 (default: those of the runtime); a version without any is not spoken',
  }),
  requireTls: setting({
    env: 'POSTERN_REQUIRE_TLS',
    flag: 'require-tls',
    placeholder: 'BOOLEAN',
    parse: truth,
    fallback: false,
    help: 'refuse plain text in both directions: no listener without a certificate but that of health, no http: upstreams',
  }),
  clientSubject: optional<readonly string[]>({
    env: 'POSTERN_CLIENT_SUBJECT',
    flag: 'client-subject',
    placeholder: 'RULES',
    parse: subjectRules,
    help: 'which name of a certificate is the caller, the first that is there: uri, dns, email or cn, each with =PATTERN and after CA/ for one authority (default: uri, dns, email, cn)',
  }),
  clientChainDepth: optional<number>({
    env: 'POSTERN_CLIENT_CHAIN_DEPTH',
    flag: 'client-chain-depth',
    placeholder: 'COUNT',
    parse: integer(0, 10),
    help: "intermediates there may be between a caller's certificate and its authority (default: as many as the TLS library takes)",
  }),
  clientPins: optional<readonly string[]>({
    env: 'POSTERN_CLIENT_PINS',
    flag: 'client-pins',
    placeholder: 'PINS|FILE',
    parse: pinsOrFile,
    help: 'sha256/BASE64 of the public keys of callers: certificates of other keys are refused; or a file of them, read again at a rotation',
  }),
};
