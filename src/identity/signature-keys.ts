import { importJWK } from 'jose';
import type { JWK } from 'jose';
import { GatewayError } from '../base/errors.ts';
import { asFields } from '../base/fields.ts';
import { splitPem } from '../pki/pem.ts';
import { isKeyBlock, jwkOfPem } from './pem-jwk.ts';
import { isPrivate, problemWithKey, publicHalf, thumbprintOf } from './public-jwk.ts';
import { algorithmsOf } from './token-algorithms.ts';
import type { SignatureAlgorithm } from './token-algorithms.ts';

/** A key with its name, and the one algorithm it is used with. */
export interface SignatureKey {
  readonly kid: string;
  /** Of its public half. @see https://www.rfc-editor.org/rfc/rfc7638 */
  readonly thumbprint: string;
  readonly algorithm: SignatureAlgorithm;
  /** Verifies. */
  readonly publicKey: CryptoKey;
  /** Signs; undefined where only the public half was given. It cannot be read back. */
  readonly privateKey: CryptoKey | undefined;
}

/** A token without `kid` is tried with each. */
const MAX_KEY_COUNT = 8;

/**
 * The keys in a text: PEM blocks (`PUBLIC KEY`, `PRIVATE KEY`), a JWK or a JWK Set.
 *
 * @param algorithm of keys that name none
 * @throws GatewayError key_unreadable, key_missing; never with a part of the text
 */
export async function openSignatureKeys(text: string, algorithm: SignatureAlgorithm): Promise<readonly SignatureKey[]> {
  const jwks = /^\s*\{/.test(text) ? jwksIn(text) : await pemKeysIn(text, algorithm);
  if (jwks.length === 0) throw new GatewayError('key_missing', 'it holds no key');
  if (jwks.length > MAX_KEY_COUNT) throw unreadable(`it holds more than ${MAX_KEY_COUNT} keys`);
  const keys: SignatureKey[] = [];
  for (const [index, jwk] of jwks.entries()) keys.push(await openKey(jwk, algorithm, `key ${index + 1}`));
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) throw unreadable('two of its keys have the same kid');
  return keys;
}

async function openKey(jwk: JWK, usual: SignatureAlgorithm, which: string): Promise<SignatureKey> {
  const problem = problemWithKey(jwk);
  if (problem !== undefined) throw unreadable(`${which} ${problem}`);
  const algorithm = algorithmsOf(jwk).find((name) => name === (jwk.alg ?? usual));
  if (algorithm === undefined)
    throw unreadable(`${which} cannot be used with ${jwk.alg === undefined ? usual : 'the alg it names'}`);
  const imported = (of: JWK) =>
    importJWK(of, algorithm, { extractable: false }).catch(() => {
      // without the error of the library: it may quote the key
      throw unreadable(`${which} is malformed`);
    }) as Promise<CryptoKey>;
  const publicKey = await imported(publicHalf(jwk));
  const privateKey = isPrivate(jwk) ? await imported(withoutUses(jwk)) : undefined;
  const thumbprint = await thumbprintOf(jwk);
  // RFC 7638 has the thumbprint as a good name
  const kid = typeof jwk.kid === 'string' && jwk.kid !== '' ? jwk.kid : thumbprint;
  return { kid, thumbprint, algorithm, publicKey, privateKey };
}

/** `use` and `key_ops` are written for both halves. */
const withoutUses = ({ use: _use, key_ops: _operations, ...jwk }: JWK): JWK => jwk;

function jwksIn(text: string): readonly JWK[] {
  const parsed = parseJson(text);
  const keys: unknown = parsed['keys'] ?? [parsed];
  // what they hold is looked at one by one
  if (Array.isArray(keys) && keys.every((key) => asFields(key) !== undefined)) return keys as JWK[];
  throw unreadable('it is neither a JWK nor a JWK Set');
}

function parseJson(text: string): Readonly<Record<string, unknown>> {
  try {
    return asFields(JSON.parse(text)) ?? {};
  } catch {
    // without the parser's message: it quotes the text
    throw unreadable('it is not JSON');
  }
}

async function pemKeysIn(text: string, algorithm: SignatureAlgorithm): Promise<JWK[]> {
  return Promise.all(
    splitPem(text, 'key_unreadable').map((block, index) => {
      if (!isKeyBlock(block))
        throw unreadable(`expected PEM of PRIVATE KEY (PKCS#8) or PUBLIC KEY, met ${block.label.slice(0, 40)}`);
      return jwkOfPem(block, algorithm).catch(() => {
        throw unreadable(`key ${index + 1} is malformed, or cannot be used with ${algorithm}`);
      });
    }),
  );
}

const unreadable = (message: string): GatewayError =>
  new GatewayError('key_unreadable', message, {
    hint: '`openssl pkcs8 -topk8 -nocrypt` writes a private key as PKCS#8; JWT_ALGORITHM has to fit the key',
  });
