import { isIP } from 'node:net';
import type { CertificateRequest, SubjectName } from '../../../../src/index.ts';
import { UsageError } from './usage.ts';

/** A common name holds 64 characters, and a DNS label 63, of which `mcp-plugin-` takes eleven. */
const PLUGIN_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,50}[A-Za-z0-9])?$/;
const COMMON_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?$/;
const EMAIL = /^[A-Za-z0-9][A-Za-z0-9._%+-]*@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/;
const SPIFFE_ID = /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/[A-Za-z0-9._-]+)*$/;
const DNS_NAME = /^(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?$/;

/** A caller's certificate: the folder it goes to, and how its name is written into it. */
export interface ClientName {
  readonly folder: string;
  readonly subject: SubjectName;
  readonly names: Pick<CertificateRequest, 'emails' | 'uris'>;
}

/** Whether a text can stand in a certificate as a DNS name; one leading wildcard label is allowed. */
export function isDnsName(text: string): boolean {
  return DNS_NAME.test(text) && !text.includes('..');
}

/** Whether a text can stand in a certificate as an IP address; zones cannot. */
export function isIpAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}

/** A plugin's name, fit to be a folder and part of a DNS name. @throws UsageError when it is not. */
export function checkPluginName(name: string): string {
  if (PLUGIN_NAME.test(name) && !name.includes('..')) return name;
  throw new UsageError(
    `${JSON.stringify(name)} cannot name a server: 1 to 52 of A-Z a-z 0-9 . _ -, a letter or digit at both ends`,
  );
}

/**
 * A caller by SPIFFE id, e-mail address or common name. A SPIFFE id gets no common name: its last part alone could
 * be taken for somebody else's.
 *
 * @throws UsageError when it is none of them.
 * @see https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md#2-spiffe-id
 */
export function parseClientName(name: string): ClientName {
  const folder = name.replace(/^spiffe:\/\//, 'spiffe_').replaceAll(/[^A-Za-z0-9._%+@-]/g, '_');
  const parts = name.replace(/^spiffe:\/\//, '').split('/');
  if (SPIFFE_ID.test(name) && name.length <= 200 && !parts.some((part) => /^\.{1,2}$/.test(part)))
    return { folder, subject: {}, names: { uris: [name] } };
  if (EMAIL.test(name) && name.length <= 64)
    return { folder, subject: { commonName: name }, names: { emails: [name] } };
  if (COMMON_NAME.test(name)) return { folder, subject: { commonName: name }, names: {} };
  throw new UsageError(
    `${JSON.stringify(name)} cannot name a client: expected a SPIFFE id (spiffe://domain/path), an e-mail address, or 1 to 64 of A-Z a-z 0-9 space . _ - with a letter or digit at both ends`,
  );
}
