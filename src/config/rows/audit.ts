import type { Secret } from '../../base/secret.ts';
import { optional, setting } from '../setting.ts';
import { oneOf, secret } from '../values.ts';
import type { ValueParser } from '../values.ts';

/** Whether calls go on while they cannot be recorded. */
export type AuditFailurePolicy = 'open' | 'closed';

const EXPECTED = 'file:PATH, or https://… without a user (http:// on loopback)';

const target: ValueParser<string> = (raw) => {
  const isFine = typeof raw === 'string' && (/^file:.+/.test(raw) || isCollector(raw));
  return isFine ? { value: raw } : { expected: EXPECTED };
};

function isCollector(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hostname } = new URL(text);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname));
}

/** Where records of audit go. */
export const AUDIT_SETTINGS = {
  audit: optional<string>({
    env: 'POSTERN_AUDIT',
    placeholder: 'TARGET',
    // what is refused may hold a password, and a query may be one
    masked: (value) => value?.replace(/\?.*/, '?*****') ?? '',
    parse: target,
    help: 'where records of audit go: file:PATH, or https://… to be posted to (default: nowhere)',
  }),
  auditFailure: setting<AuditFailurePolicy>({
    env: 'POSTERN_AUDIT_FAILURE',
    placeholder: 'open|closed',
    parse: oneOf<AuditFailurePolicy>({ open: 'open', closed: 'closed' }),
    fallback: 'open',
    help: 'whether calls go on (open) or are refused (closed) while records cannot be kept',
  }),
  auditToken: optional<Secret>({
    env: 'POSTERN_AUDIT_TOKEN',
    placeholder: 'TEXT',
    masked: () => '*****',
    parse: secret,
    help: 'bearer token for the address records are posted to',
  }),
};
