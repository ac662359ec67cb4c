import type { CertificateFacts } from './certificate.ts';

const DAY_MS = 86_400_000;

/** Where a certificate stands in its life. */
export type ExpiryState = 'valid' | 'expiring' | 'expired' | 'not_yet_valid';

/** Whole days until `notAfter`, rounded down; negative once it has passed. */
export function daysLeft(facts: CertificateFacts, nowMs: number): number {
  return Math.floor((Date.parse(facts.notAfter) - nowMs) / DAY_MS);
}

/** `notAfter` in seconds since the Unix epoch, the form metrics take. */
export function notAfterSeconds(facts: CertificateFacts): number {
  return Date.parse(facts.notAfter) / 1000;
}

/** The state now; `expiring` from `warnDays` days before the end. */
export function expiryState(facts: CertificateFacts, nowMs: number, warnDays: number): ExpiryState {
  const endMs = Date.parse(facts.notAfter);
  if (nowMs > endMs) return 'expired';
  if (nowMs < Date.parse(facts.notBefore)) return 'not_yet_valid';
  return endMs - nowMs <= warnDays * DAY_MS ? 'expiring' : 'valid';
}
