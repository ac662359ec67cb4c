import { GatewayError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import { MASK, snakeOf } from './field-schema.ts';
import type { SecretInput } from './field-schema.ts';

/** A field after a change: absent keeps, null clears, a value replaces. @see https://www.rfc-editor.org/rfc/rfc7396 */
export function kept<Given, Stored>(
  given: Given | null | undefined,
  stored: Stored | undefined,
  read: (given: Given) => Stored,
): Stored | undefined {
  if (given === undefined) return stored;
  return given === null ? undefined : read(given);
}

/** A secret after a change: as `kept`, and the mask keeps too. @throws GatewayError request_invalid when there is none to keep */
export function keptSecret<Stored>(
  field: string,
  given: SecretInput | null | undefined,
  stored: Stored | undefined,
  read: (given: Secret) => Stored,
): Stored | undefined {
  if (given !== MASK) return kept(given, stored, read);
  if (stored !== undefined) return stored;
  throw new GatewayError(
    'request_invalid',
    `${snakeOf(field)} is ${MASK}, which keeps a stored secret, but none is stored`,
    {
      hint: 'send the secret itself',
      details: { fields: [{ field, problem: 'has no stored value to keep' }] },
    },
  );
}
