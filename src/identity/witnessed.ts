import { toGatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { Authenticator } from './authenticator.ts';
import { callerFields } from './caller-fields.ts';
import { showsCertificate } from './credentials.ts';
import type { CallerConnection, Credentials } from './credentials.ts';
import type { Principal } from './principal.ts';

type Recognising = Pick<Authenticator, 'authenticate' | 'authenticateOperator'>;

/** Tells of everyone who is recognised, once per connection and as long as the credential is remembered, and of everyone who is not. */
export function witnessed(authenticator: Recognising, events: EventSink): Recognising {
  const met = new WeakMap<object, WeakSet<Principal>>();
  /** Where nobody knows the connection. */
  const unknown = {};

  const welcome = (principal: Principal, connection: CallerConnection | undefined): Principal => {
    const key = connection ?? unknown;
    let known = met.get(key);
    if (known === undefined) met.set(key, (known = new WeakSet()));
    if (known.has(principal)) return principal;
    known.add(principal);
    events('caller.recognised', { caller: callerFields(principal), address: connection?.address });
    return principal;
  };
  const refuse = (thrown: unknown, credentials: Credentials): never => {
    const { code, message } = toGatewayError(thrown);
    const { connection } = credentials;
    events('caller.refused', { code, message, method: attemptIn(credentials), address: connection?.address });
    throw thrown;
  };
  const watch =
    (ask: (credentials: Credentials) => Principal | Promise<Principal>) =>
    (credentials: Credentials): Principal | Promise<Principal> => {
      const { connection } = credentials;
      try {
        const principal = ask(credentials);
        if (!(principal instanceof Promise)) return welcome(principal, connection);
        return principal.then(
          (one) => welcome(one, connection),
          (error: unknown) => refuse(error, credentials),
        );
      } catch (error) {
        return refuse(error, credentials);
      }
    };
  return {
    authenticate: watch((credentials) => authenticator.authenticate(credentials)),
    authenticateOperator: watch((credentials) => authenticator.authenticateOperator(credentials)),
  };
}

/** How a caller tried to be recognised. */
function attemptIn({ headers, connection }: Credentials): 'token' | 'basic' | 'certificate' | 'none' {
  const authorization = headers.get('authorization') ?? '';
  if (authorization !== '') return /^basic /i.test(authorization) ? 'basic' : 'token';
  return connection && showsCertificate(connection) ? 'certificate' : 'none';
}
