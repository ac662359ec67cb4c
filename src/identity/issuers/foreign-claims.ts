import { GatewayError } from '../../base/errors.ts';
import type { Fields } from '../../base/fields.ts';
import type { Claims } from '../principal.ts';

const LIMITS = { claims: 64, nameCharacters: 256, characters: 1024, texts: 512 };

/**
 * What a token says of its caller, as far as rules can be about it: texts, and lists of texts. One with more than is
 * taken is refused whole: a rule that denies must not miss its claim.
 *
 * @throws GatewayError unauthenticated
 */
export function claimsIn(payload: Fields): Claims {
  const claims = Object.entries(payload).filter((claim): claim is [string, string | string[]] => isClaim(claim[1]));
  const isWithin = claims.every(([name, value]) => {
    const texts = typeof value === 'string' ? [value] : value;
    return (
      name.length <= LIMITS.nameCharacters &&
      texts.length <= LIMITS.texts &&
      texts.every((text) => text.length <= LIMITS.characters)
    );
  });
  if (isWithin && claims.length <= LIMITS.claims) return Object.fromEntries(claims);
  throw new GatewayError('unauthenticated', 'the token says more of its caller than is taken');
}

const isClaim = (value: unknown): value is string | string[] =>
  typeof value === 'string' || (Array.isArray(value) && value.every((text) => typeof text === 'string'));

/**
 * The name of a caller an issuer knows as `sub`. Two issuers may have the same one, and so may we; a URL of an issuer has
 * no fragment, so the first `#` tells who says it.
 *
 * @throws GatewayError unauthenticated
 */
export function foreignSubject(issuer: string, sub: string): string {
  if (sub.length > LIMITS.characters || /\p{Cc}/u.test(sub))
    throw new GatewayError('unauthenticated', 'the token has a subject that cannot be shown');
  return `${issuer}#${sub}`;
}
