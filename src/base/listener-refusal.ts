/** Why the listener would not have a connection, its handshake over or not. */
export const LISTENER_REFUSALS = [
  'certificate_missing',
  'certificate_untrusted',
  'certificate_expired',
  'certificate_not_yet_valid',
  'certificate_wrong_purpose',
  'certificate_revoked',
  // no current revocation list speaks of it
  'certificate_unlisted',
  // an authority is no caller
  'certificate_is_a_ca',
  'chain_too_deep',
  'key_not_pinned',
  'version_unsupported',
  'cipher_unsupported',
  // somebody spoke plain HTTP
  'tls_not_spoken',
  'handshake_failed',
] as const;

/** One of them. */
export type ListenerRefusal = (typeof LISTENER_REFUSALS)[number];
