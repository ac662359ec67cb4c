import { GatewayError } from '../base/errors.ts';
import { boundTo, subjectIn, verifiedClaims } from './jwt.ts';
import type { UnverifiedJwt } from './jwt.ts';
import { mintPrincipal } from './principal.ts';
import type { RecognisedToken } from './recognised-token.ts';
import type { TokenKey } from './token.ts';

/**
 * Who a token of this gateway stands for. `kid` chooses among the keys there are, and each verifies by its own algorithm
 * only.
 *
 * @throws GatewayError unauthenticated, token_expired
 */
export async function verifyOwnToken(
  jwt: UnverifiedJwt,
  keys: readonly TokenKey[],
  nowMs: number,
): Promise<RecognisedToken> {
  const ofAlgorithm = keys.filter(({ algorithm }) => algorithm === jwt.algorithm);
  if (ofAlgorithm.length === 0)
    throw new GatewayError('unauthenticated', 'the token is signed with another algorithm than configured');
  const candidates = ofAlgorithm.filter(({ kid }) => kid === undefined || jwt.kid === undefined || kid === jwt.kid);
  const [{ issuer, audience }] = ofAlgorithm as [TokenKey];
  const payload = await verifiedClaims(jwt, candidates, {
    issuer,
    audience,
    requiredClaims: ['sub', 'exp', 'iss', 'aud'],
    currentDate: new Date(nowMs),
  });
  const subject = subjectIn(payload);
  const { role = 'user', exp, iat, jti } = payload;
  if (role !== 'admin' && role !== 'user')
    throw new GatewayError('unauthenticated', 'the token has a role that is neither admin nor user');
  return {
    principal: mintPrincipal({ subject, role, method: 'token', issuer }),
    boundTo: boundTo(payload),
    // the library has checked that it is there and a number
    expiresMs: (exp as number) * 1000,
    issuedMs: iat === undefined ? undefined : iat * 1000,
    jti: typeof jti === 'string' ? jti : undefined,
  };
}
