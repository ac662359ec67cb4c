import { GatewayError } from '../../base/errors.ts';

/** Longest name a proxy may hand on, in characters. */
const MAX_LENGTH = 1024;

/**
 * The name a header of a proxy holds, for headers that hold one and nothing else. Fetch joins a header that came twice
 * with a comma, so a comma is refused with all else that could mean another caller than the proxy verified.
 *
 * @throws GatewayError unauthenticated
 */
export function forwardedName(header: string, value: string): string {
  checkText(header, value);
  if (value.includes(',')) throw unusable(header, 'holds a comma, or was sent twice');
  return checkName(header, value);
}

/** Refuses what no header of a proxy may hold. @throws GatewayError unauthenticated */
export function checkText(header: string, value: string): void {
  if (value === '') throw unusable(header, 'is empty');
  if (!/^[\x20-\x7e]*$/.test(value)) throw unusable(header, 'holds something else than plain ASCII');
}

/** A name, as it is once nothing of it is encoded any more. @throws GatewayError unauthenticated */
export function checkName(header: string, name: string): string {
  if (name.trim() === '') throw unusable(header, 'names nobody');
  if (name.length > MAX_LENGTH) throw unusable(header, `is longer than ${MAX_LENGTH} characters`);
  if (/\p{Cc}/u.test(name)) throw unusable(header, 'holds control characters');
  if (/[{$]/.test(name)) throw unusable(header, 'holds a placeholder the proxy did not fill in');
  return name;
}

/** A refusal of what a proxy says; the value stays unsaid. */
export function unusable(header: string, why: string): GatewayError {
  return new GatewayError('unauthenticated', `the ${header} header of the proxy ${why}`, {
    hint: 'the proxy has to set it itself, to one name, and to remove what its clients sent; docs/proxies.md has working configurations',
  });
}

/** A refusal of a caller that is not known by a pinned key. */
export function notPinned(header: string, why: string): GatewayError {
  return new GatewayError('unauthenticated', `the ${header} header of the proxy ${why}, and callers are pinned`, {
    hint: 'POSTERN_CLIENT_PINS lists the keys of callers; have the proxy hand on the certificate of the caller',
  });
}
