import { equalInConstantTime, fromBase64, fromUtf8 } from '../base/bytes.ts';
import { GatewayError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import { mintPrincipal } from './principal.ts';
import type { Principal } from './principal.ts';

/** The one name and password there may be, for administration only. */
export interface BasicSettings {
  readonly basicAuthUser?: string | undefined;
  readonly basicAuthPassword?: Secret | undefined;
}

/** Recognises an operator by name and password. @see https://www.rfc-editor.org/rfc/rfc7617 */
export class BasicOperator {
  readonly #expected: { readonly user: string; readonly password: Secret } | undefined;
  readonly #principal: Principal;

  /** Recognises nobody unless both are set. */
  constructor({ basicAuthUser: user, basicAuthPassword: password }: BasicSettings) {
    this.#expected = user !== undefined && password !== undefined ? { user, password } : undefined;
    this.#principal = mintPrincipal({ subject: user ?? '', role: 'admin', method: 'basic' });
  }

  /** Whether an Authorization header is for this, and this is switched on. */
  takes(authorization: string): boolean {
    return this.#expected !== undefined && BASIC.test(authorization);
  }

  /** @throws GatewayError unauthenticated */
  callerOf(authorization: string): Principal {
    const given = textIn(BASIC.exec(authorization)?.[1] ?? '');
    const { user, password } = this.#expected ?? {};
    // one comparison of both, so that nobody learns which was wrong
    if (password !== undefined && equalInConstantTime(`${user}:${password.reveal()}`, given)) return this.#principal;
    throw new GatewayError('unauthenticated', 'the name or the password is wrong');
  }
}

const BASIC = /^basic +([\w+/=-]*)$/i;

function textIn(base64: string): string {
  try {
    return fromUtf8(fromBase64(base64));
  } catch {
    return '';
  }
}
