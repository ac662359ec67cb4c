import { GatewayError } from '../../base/errors.ts';
import { addressVerdict } from '../../catalog/named-item.ts';
import { Scopes } from '../../catalog/scopes.ts';
import { Views } from '../../catalog/views.ts';
import type { VirtualServer } from '../../catalog/virtual-server.ts';
import type { Principal } from '../../identity/principal.ts';
import type { Grant } from '../../policy/grant.ts';
import { callerOf, granted } from '../access.ts';
import type { Authenticate, Deciding, Incoming } from '../access.ts';
import { meetDemand } from './certificate-demand.ts';
import type { Certifies } from './certificate-demand.ts';
import type { FindServer } from './servers.ts';

/** A caller who may speak MCP, and the server as this caller gets it. */
export interface Admitted {
  readonly principal: Principal;
  readonly grant: Grant;
  readonly server: VirtualServer;
}

export interface AdmissionOptions extends Deciding {
  readonly authenticate: Authenticate;
  readonly certifies: Certifies;
}

/**
 * Who calls, may they speak MCP, and to what. The one place where policy meets servers: whatever comes after, of either
 * era and by any way in, has a server in which only what is allowed can be found.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #views = new Views();
  readonly #scopes = new Scopes();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Who sent a request; at once where the caller is known. @throws GatewayError unauthenticated, token_expired */
  callerOf(incoming: Incoming): Principal | Promise<Principal> {
    return callerOf(incoming, this.#options.authenticate);
  }

  /** Lets a caller in; a promise only where a certificate has to be looked for. @throws GatewayError forbidden, insufficient_scope, not_found, unauthenticated */
  admit(principal: Principal, incoming: Incoming, find: FindServer): Admitted | Promise<Admitted> {
    const admitted = this.#decide(principal, find);
    const met = meetDemand(admitted.server, principal, incoming, this.#options.certifies);
    return met ? met.then(() => admitted) : admitted;
  }

  /** Both. @throws GatewayError unauthenticated, token_expired, forbidden, not_found */
  async enter(incoming: Incoming, find: FindServer): Promise<Admitted> {
    return this.admit(await this.callerOf(incoming), incoming, find);
  }

  /** What stands at the address of a server now, as those see it who had this one. */
  again(server: VirtualServer, now: (key: string) => VirtualServer | undefined): VirtualServer | undefined {
    return this.#views.again(server, now);
  }

  #decide(principal: Principal, find: FindServer): Admitted {
    const { policies, events } = this.#options;
    const grant = granted(principal, { kind: 'mcp' }, this.#options);
    const whole = find();
    const scope = principal.scope && this.#scopes.of(principal.scope);
    if (scope && !(whole && scope.address(whole.address).allowed)) throw outOfScope();
    if (whole === undefined) throw notFound();
    const rules = policies.inForce.rulesOf(principal);
    const allowed = rules === undefined ? whole : this.#views.of(whole, rules);
    const server = allowed && scope ? this.#views.of(allowed, scope) : allowed;
    if (server !== undefined) return { principal, grant, server };
    const { rule = null } = rules === undefined ? {} : addressVerdict(rules, whole);
    const { subject } = principal;
    events('policy.refused', { subject, action: 'connect', server: whole.address, rule });
    // that /mcp is there everybody knows; which other addresses are, nobody learns by trying
    if (whole.key !== '*') throw notFound();
    throw new GatewayError('forbidden', `the policy lets ${subject} use nothing here`);
  }
}

const notFound = (): GatewayError => new GatewayError('not_found', 'no active server has this name');

/** Whether it is there or not is told only to those it is meant for. */
const outOfScope = (): GatewayError =>
  new GatewayError('insufficient_scope', 'the token is not for a server of this name', {
    hint: 'use an address the token was made for, or have one made for this one: `postern tokens create`',
  });
