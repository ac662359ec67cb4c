import { GatewayError, type ErrorCode } from '../base/errors.ts';
import type { Certificate } from './certificate.ts';
import { isSameName } from './names.ts';

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const ANY_EXTENDED_KEY_USAGE = '2.5.29.37.0';

/**
 * Refuses a client certificate no server could accept: outside its dates, or restricted to other purposes than
 * authenticating a client.
 *
 * @throws GatewayError certificate_expired, certificate_not_yet_valid, certificate_wrong_purpose.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12
 */
export function checkClientCertificate(certificate: Certificate, nowMs: number): void {
  checkDates(certificate, nowMs, 'the client certificate', 'certificate_expired');
  checkPurpose(certificate, 'client', CLIENT_AUTH);
}

/**
 * Refuses a certificate no client could accept from a listener: outside its dates, or restricted to other purposes
 * than authenticating a server.
 *
 * @throws GatewayError certificate_expired, certificate_not_yet_valid, certificate_wrong_purpose.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12
 */
export function checkServerCertificate(certificate: Certificate, nowMs: number): void {
  checkDates(certificate, nowMs, 'the server certificate', 'certificate_expired');
  checkPurpose(certificate, 'server', SERVER_AUTH);
}

function checkPurpose(certificate: Certificate, role: 'client' | 'server', purpose: string): void {
  const usages = certificate.extendedKeyUsages;
  if (!usages || usages.includes(purpose) || usages.includes(ANY_EXTENDED_KEY_USAGE)) return;
  throw new GatewayError(
    'certificate_wrong_purpose',
    `the ${role} certificate ${certificate.facts.subject} is not for ${role} authentication: its extended key usage leaves it out`,
    {
      hint: `ask for a certificate with the extended key usage ${role}Auth`,
      details: { extendedKeyUsages: usages },
    },
  );
}

/**
 * Refuses an intermediate of a client chain outside its dates.
 *
 * @throws GatewayError certificate_expired, certificate_not_yet_valid.
 */
export function checkIntermediate(certificate: Certificate, nowMs: number): void {
  checkDates(certificate, nowMs, 'the intermediate certificate', 'certificate_expired');
}

/**
 * Refuses a trust anchor that cannot vouch for anybody. A self-signed certificate without CA:TRUE is refused too:
 * runtimes disagree on what it vouches for, and a pin says the same thing exactly.
 *
 * @throws GatewayError ca_not_a_ca, ca_expired, certificate_not_yet_valid.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.9
 */
export function checkAnchor(certificate: Certificate, nowMs: number): void {
  const { subject, issuer, isCa, spkiPin } = certificate.facts;
  if (!isCa) {
    throw new GatewayError('ca_not_a_ca', `${subject}, given as a CA certificate, is not a CA`, {
      hint: isSameName(subject, issuer)
        ? `this is one server's own self-signed certificate: pin it (pins: ["${spkiPin}"], verify: false), or have the server use a certificate issued by a CA and give that CA`
        : `give the certificate of its issuer, ${issuer}`,
      details: { subject, issuer },
    });
  }
  checkDates(certificate, nowMs, 'the CA certificate', 'ca_expired');
}

function checkDates(certificate: Certificate, nowMs: number, what: string, expired: ErrorCode): void {
  const { subject, notBefore, notAfter } = certificate.facts;
  const details = { subject, notBefore, notAfter };
  const now = new Date(nowMs).toISOString();
  if (nowMs > Date.parse(notAfter))
    throw new GatewayError(expired, `${what} ${subject} expired on ${notAfter}, now is ${now}`, {
      hint: 'replace it with a renewed one',
      details,
    });
  if (nowMs < Date.parse(notBefore))
    throw new GatewayError(
      'certificate_not_yet_valid',
      `${what} ${subject} is valid from ${notBefore}, now is ${now}`,
      {
        hint: 'wait until then, or check the clock of this machine',
        details,
      },
    );
}
