import { checkText, unusable } from './forwarded-name.ts';

/** Longest distinguished name, in characters. */
const MAX_LENGTH = 1024;
/** Attributes with a comma or plus between them, no blank after it. @see https://www.rfc-editor.org/rfc/rfc4514#section-3 */
const WELL_FORMED = /^[A-Za-z0-9.]+=(?:\\.|[^\\,+])*(?:[,+][A-Za-z0-9.]+=(?:\\.|[^\\,+])*)*$/;

/**
 * Refuses what is no distinguished name as RFC 4514 has it. With slashes, as old tools write it, a part of a name can
 * look like the next part; and a blank behind a comma means that the header came twice.
 *
 * @throws GatewayError unauthenticated
 */
export function checkDistinguishedName(header: string, value: string): void {
  checkText(header, value);
  if (value.length > MAX_LENGTH) throw unusable(header, `is longer than ${MAX_LENGTH} characters`);
  if (!WELL_FORMED.test(value)) throw unusable(header, 'is no distinguished name (RFC 4514), or was sent twice');
}
