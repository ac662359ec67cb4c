import type { Clock } from '../../base/clock.ts';
import type { RevocationRecord } from '../../tokens/token-records.ts';
import type { ListedToken, Tokens } from '../../tokens/tokens.ts';
import { answer, bodyOf, grantOf, idOf, noQuery } from './routes.ts';
import type { Routes } from './routes.ts';
import { parseRevocationWish, parseTokenWish } from './token-input.ts';

export interface TokenRoutesOptions {
  readonly tokens: Tokens;
  readonly clock: Clock;
}

/** The REST API of tokens. Whoever gets here has an admin's Grant in the context. */
export function tokenRoutes({ tokens, clock }: TokenRoutesOptions): Routes {
  return {
    '': {
      GET: (c) => {
        noQuery(c);
        return answer(tokens.list().map((token) => viewOf(token, clock.nowMs())));
      },
      POST: async (c) => {
        noQuery(c);
        const { listed, token } = await tokens.create(grantOf(c), parseTokenWish(await bodyOf(c), clock.nowMs()));
        return answer({ ...viewOf(listed, clock.nowMs()), token: token.reveal() }, 201);
      },
    },
    '/revocations': {
      GET: (c) => {
        noQuery(c);
        return answer(tokens.revocations().map(revocationView));
      },
      POST: async (c) => {
        noQuery(c);
        const wish = parseRevocationWish(await bodyOf(c), clock.nowMs());
        return answer(revocationView(await tokens.revoke(grantOf(c), wish)), 201);
      },
    },
    '/:id': {
      DELETE: async (c) => {
        noQuery(c);
        await tokens.remove(grantOf(c), idOf(c));
        return answer({ status: 'success', message: `Token ${idOf(c)} revoked` });
      },
    },
  };
}

function viewOf({ id, subject, name, issuedAt, issuedBy, expiresAt, scope, networks }: ListedToken, nowMs: number) {
  return {
    id,
    name: name ?? null,
    subject,
    status: expiresAt !== null && Date.parse(expiresAt) <= nowMs ? 'expired' : 'active',
    servers: scope?.servers ?? null,
    tools: scope?.tools ?? null,
    networks: networks ?? null,
    createdAt: issuedAt,
    createdBy: issuedBy,
    expiresAt,
  };
}

const revocationView = ({ what, name, issuedBefore, revokedAt, revokedBy, expiresAt }: RevocationRecord) => ({
  jti: what === 'jti' ? name : null,
  subject: what === 'subject' ? name : null,
  issuedBefore: issuedBefore ?? null,
  revokedAt,
  revokedBy,
  expiresAt,
});
