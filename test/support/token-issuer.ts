/** An issuer of tokens on loopback: its metadata, its keys, and the tokens it signs. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SecureServerOptions } from 'node:http2';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { JWK } from 'jose';
import { startUpstream } from './tls-upstream.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface IssuedKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
  readonly privateJwk: JWK;
}

export interface TokenIssuer {
  /** What it calls itself. */
  readonly issuer: string;
  /** The key it signs with unless told otherwise. */
  readonly key: IssuedKey;
  /** Paths that were asked for so far. */
  readonly asked: readonly string[];
  /** A token for `ann`, for a minute from now, with claims and header of choice. */
  sign(claims?: Readonly<Record<string, unknown>>, options?: SignOptions): Promise<string>;
  /** Publishes these keys from now on. */
  publish(...keys: readonly unknown[]): void;
  /** Answers a path by this from now on, or as before; without a path, everything. */
  answer(how: Answer | undefined, path?: string): void;
  close(): Promise<void>;
}

export interface SignOptions {
  readonly key?: IssuedKey;
  readonly header?: Readonly<Record<string, unknown>>;
}

export interface IssuerOptions {
  readonly tls?: SecureServerOptions;
  /** After the origin; default none. */
  readonly path?: string;
  /** Which of the two conventions it follows. */
  readonly convention?: 'oauth' | 'openid';
}

/** A fresh key pair. */
export async function issueKey(algorithm: string, kid: string): Promise<IssuedKey> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const [publicJwk, privateJwk] = [await exportJWK(publicKey), await exportJWK(privateKey)];
  return { kid, algorithm, privateKey, publicJwk: { ...publicJwk, kid }, privateJwk: { ...privateJwk, kid } };
}

export async function startTokenIssuer(options: IssuerOptions = {}): Promise<TokenIssuer> {
  const { tls, path = '', convention = 'oauth' } = options;
  const key = await issueKey('ES256', 'first');
  const overrides = new Map<string | undefined, Answer>();
  let published: readonly unknown[] = [key.publicJwk];
  const metadataPath =
    convention === 'oauth'
      ? `/.well-known/oauth-authorization-server${path}`
      : `${path}/.well-known/openid-configuration`;
  const server = await startUpstream({
    ...(tls && { tls }),
    handle: (request, response) => {
      const asked = request.url ?? '';
      const override = overrides.get(asked) ?? overrides.get(undefined);
      if (override) return override(request, response);
      if (asked === metadataPath) return json(response, { issuer, jwks_uri: `${origin}/keys` });
      if (asked === '/keys') return json(response, { keys: published });
      response.writeHead(404).end();
    },
  });
  const origin = tls ? server.origin() : `http://127.0.0.1:${server.port}`;
  const issuer = origin + path;
  return {
    issuer,
    key,
    get asked() {
      return server.requests.map((request) => request.path);
    },
    sign(claims = {}, { key: signer = key, header = {} } = {}) {
      const usual = { sub: 'ann', iss: issuer, aud: 'postern', exp: Math.floor(Date.now() / 1000) + 60 };
      return new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg: signer.algorithm, kid: signer.kid, ...header })
        .sign(signer.privateKey, { crit: { exp: true } });
    },
    publish: (...keys) => void (published = keys),
    answer(how, asked) {
      if (how) overrides.set(asked, how);
      else overrides.delete(asked);
    },
    close: () => server.close(),
  };
}

/** A JSON answer. */
export function json(response: ServerResponse, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
