import { importJWK } from 'jose';
import type { JWK } from 'jose';
import { GatewayError } from '../../base/errors.ts';
import { asFields } from '../../base/fields.ts';
import { isPrivate, problemWithKey, publicHalf } from '../public-jwk.ts';
import { algorithmsOf } from '../token-algorithms.ts';
import type { SignatureAlgorithm } from '../token-algorithms.ts';

/** A key of an issuer. */
export interface IssuerKey {
  readonly kid: string | undefined;
  readonly algorithms: readonly SignatureAlgorithm[];
  /** The public half alone. */
  readonly jwk: JWK;
}

const MAX_KEY_COUNT = 100;

/**
 * The keys of a JWK Set that may verify tokens. Left out is what is for something else, what is not known here, a secret,
 * and a private key: since it was published, anybody could sign with it.
 *
 * @throws GatewayError upstream_protocol where it is no JWK Set
 * @see https://www.rfc-editor.org/rfc/rfc7517#section-5
 */
export async function keysIn(body: unknown): Promise<readonly IssuerKey[]> {
  const { keys } = asFields(body) ?? {};
  if (!Array.isArray(keys) || keys.length > MAX_KEY_COUNT)
    throw new GatewayError('upstream_protocol', `expected a JWK Set of at most ${MAX_KEY_COUNT} keys`);
  const found = await Promise.all(keys.map((key: unknown) => keyOf(key)));
  return found.filter((key) => key !== undefined);
}

async function keyOf(value: unknown): Promise<IssuerKey | undefined> {
  // what it holds is looked at below
  const given = asFields(value) as JWK | undefined;
  if (given === undefined || isPrivate(given) || problemWithKey(given) !== undefined) return undefined;
  const { kid, alg, use, key_ops: operations } = given;
  if (use !== undefined && use !== 'sig') return undefined;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return undefined;
  const algorithms = algorithmsOf(given).filter((name) => alg === undefined || alg === name);
  const [first] = algorithms;
  if (first === undefined) return undefined;
  const jwk = publicHalf(given);
  const isSound = await importJWK(jwk, first).then(
    () => true,
    () => false,
  );
  return isSound ? { kid: typeof kid === 'string' ? kid : undefined, algorithms, jwk } : undefined;
}
