import { GatewayError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { Sealed } from '../vault/vault.ts';
import { snakeOf } from './field-schema.ts';
import type { GatewayPatch } from './gateway-fields.ts';
import type { GatewayIdentity, GatewayTls, KeySource, NextIdentity, PemSource } from './gateway-record.ts';
import { kept, keptSecret } from './kept.ts';
import { parseKeySource, parseListSource, parsePemSource } from './pem-source.ts';

type AnySecret = Secret | Sealed;
type Tls = GatewayTls<AnySecret>;
type IdentityPatch = Pick<GatewayPatch, 'clientCert' | 'clientKey' | 'clientKeyPassword' | 'clientBinding'>;

const VERSIONS = { '1.2': 'TLSv1.2', '1.3': 'TLSv1.3', 'TLSv1.2': 'TLSv1.2', 'TLSv1.3': 'TLSv1.3' } as const;

/**
 * The TLS side of a gateway after a change. What the material itself is worth is checked when the profile is opened.
 *
 * @throws GatewayError config_invalid, certificate_unreadable, ca_unreadable, crl_unreadable, key_missing, request_invalid
 */
export function applyTls(stored: Tls, patch: GatewayPatch, url: URL): Tls {
  const caCertificate = kept(patch.caCertificate, stored.caCertificate, parseCa);
  const tls: Tls = {
    caCertificate,
    caMode: kept(patch.caMode, caCertificate && stored.caMode, (mode) => mode),
    ...applyIdentity(stored, patch, ''),
    serverName: kept(patch.serverName, stored.serverName, (name) => name),
    checkHostname: kept(patch.checkHostname, stored.checkHostname, (check) => check),
    verify: kept(patch.verify, stored.verify, (verify) => verify),
    minTlsVersion: kept(patch.minTlsVersion, stored.minTlsVersion, (version) => VERSIONS[version]),
    crl: kept(patch.crl, stored.crl, parseListSource),
    revocation: kept(patch.revocation, stored.revocation, (way) => (way === 'ocsp' ? way : undefined)),
    pins: kept(patch.pins, stored.pins, (pins) => (pins.length > 0 ? pins : undefined)),
    next: kept(patch.next, stored.next, (next) => applyNext(stored.next, next)),
    retiring: url.protocol === 'http:' ? undefined : stored.retiring,
  };
  if (tls.caMode !== undefined && caCertificate === undefined)
    throw new GatewayError('config_invalid', 'ca_mode says what to do with ca_certificate, but there is none', {
      hint: 'send ca_certificate, or leave ca_mode out',
    });
  if (url.protocol === 'http:') refuseOnHttp(tls);
  return tls;
}

const parseCa = (ca: string): PemSource => parsePemSource(ca, 'ca_unreadable');

function applyIdentity(
  stored: GatewayIdentity<AnySecret>,
  patch: IdentityPatch,
  where: string,
): GatewayIdentity<AnySecret> {
  const clientKey = keptSecret<KeySource<AnySecret>>(
    `${where}clientKey`,
    patch.clientKey,
    stored.clientKey,
    parseKeySource,
  );
  const clientCert = kept(patch.clientCert, stored.clientCert, (text) =>
    parsePemSource(text, 'certificate_unreadable'),
  );
  if (clientCert !== undefined && clientKey === undefined)
    throw new GatewayError('key_missing', `${where}client_cert is given without ${where}client_key`, {
      hint: 'send both; where one text holds certificate and key, send it in both: only as client_key is it kept as a secret',
    });
  const clientKeyPassword = keptSecret<AnySecret>(
    `${where}clientKeyPassword`,
    patch.clientKeyPassword,
    clientKey && stored.clientKeyPassword,
    (password) => password,
  );
  const clientBinding = kept(patch.clientBinding, stored.clientBinding, (name) => name);
  return { clientCert, clientKey, clientKeyPassword, clientBinding };
}

function applyNext(
  stored: NextIdentity<AnySecret> | undefined,
  patch: NonNullable<GatewayPatch['next']>,
): NextIdentity<AnySecret> | undefined {
  const next = {
    ...applyIdentity(stored ?? {}, patch, 'next.'),
    caCertificate: kept(patch.caCertificate, stored?.caCertificate, parseCa),
  };
  return Object.values(next).some((value) => value !== undefined) ? next : undefined;
}

/** An http upstream does no TLS work, so what was asked for would silently not happen. @throws GatewayError config_invalid */
export function refuseOnHttp({ checkHostname, verify, ...tls }: Tls): void {
  const fields = Object.entries({
    ...tls,
    checkHostname: checkHostname === false || undefined,
    verify: verify === false || undefined,
  })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => snakeOf(name));
  if (fields.length > 0)
    throw new GatewayError('config_invalid', `${fields.join(', ')} need an https URL; an http URL does no TLS`, {
      hint: `use https, or clear ${fields.join(', ')} with null`,
      details: { fields },
    });
}
