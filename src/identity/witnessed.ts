import { toGatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { Authenticator } from './authenticator.ts';
import { callerFields } from './caller-fields.ts';
import type { CallerConnection, Credentials } from './credentials.ts';
import type { Principal } from './principal.ts';

/** Tells of everyone who is recognised, once per connection and as long as the credential is remembered, and of everyone who is not. */
export function witnessed(authenticator: Authenticator, events: EventSink): Authenticator {
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
  const refuse = (thrown: unknown, connection: CallerConnection | undefined): never => {
    const { code, message } = toGatewayError(thrown);
    events('caller.refused', { code, message, address: connection?.address });
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
          (error: unknown) => refuse(error, connection),
        );
      } catch (error) {
        return refuse(error, connection);
      }
    };
  return {
    authenticate: watch((credentials) => authenticator.authenticate(credentials)),
    authenticateOperator: watch((credentials) => authenticator.authenticateOperator(credentials)),
    believes: (connection) => authenticator.believes(connection),
    certifies: (credentials) => authenticator.certifies(credentials),
  };
}
