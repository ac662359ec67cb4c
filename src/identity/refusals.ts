import { GatewayError } from '../base/errors.ts';

/** A refusal of a token that belongs to another client certificate. */
export function boundElsewhere(): GatewayError {
  return new GatewayError('unauthenticated', 'the token is bound to a client certificate that this connection lacks', {
    hint: 'send it over a connection with the certificate it was issued for (RFC 8705)',
  });
}

/** A refusal of a token that is for other resources than the one it came to. */
export function meantForAnother(): GatewayError {
  return new GatewayError('unauthenticated', 'the token does not meet claim aud', {
    hint: 'ask its issuer for one whose audience is this resource (RFC 8707)',
  });
}

/** A refusal of a token that came from elsewhere than it may. */
export function sentFromElsewhere(): GatewayError {
  return new GatewayError('unauthenticated', 'the token is not taken from this address');
}

/** A refusal of a token where callers of MCP have to show certificates. */
export function tokensRefused(): GatewayError {
  return new GatewayError('unauthenticated', 'tokens are not taken for MCP here', {
    hint: 'come with a client certificate and without Authorization; MCP_CLIENT_AUTH_ENABLED is false',
  });
}

/** A refusal for want of credentials. */
export function credentialsMissing(): GatewayError {
  return new GatewayError('unauthenticated', 'expected a bearer token or a client certificate, met neither', {
    hint: '`postern token --sub you --role admin` on the gateway prints one; send it as Authorization: Bearer …',
    details: { credentials: 'missing' },
  });
}

/** What a quoted string in a header may hold. @see https://www.rfc-editor.org/rfc/rfc6750#section-3 */
const UNQUOTABLE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/g;

/**
 * The WWW-Authenticate challenge of a refusal; a caller who sent no credentials is told only which kind is wanted.
 *
 * @param metadata where the resource says who issues tokens for it; absent where nobody else does
 * @see https://www.rfc-editor.org/rfc/rfc9728#section-5.1
 */
export function challengeOf(error: GatewayError, metadata?: string): string {
  const where = metadata === undefined ? [] : [`resource_metadata="${metadata.replaceAll(UNQUOTABLE, '')}"`];
  if (error.details?.['credentials'] === 'missing') return ['Bearer', where.join()].join(' ').trim();
  const kind = error.code === 'insufficient_scope' ? 'insufficient_scope' : 'invalid_token';
  const described = `error_description="${error.message.replaceAll(UNQUOTABLE, '')}"`;
  return `Bearer ${[`error="${kind}"`, described, ...where].join(', ')}`;
}
