import type { Clock } from '../base/clock.ts';
import { GatewayError, toGatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import { newId } from '../base/ids.ts';
import type { Principal } from '../identity/principal.ts';
import type { Rotation } from '../rotation/rotation.ts';
import { keyOf } from '../store/keys.ts';
import type { RecordStore } from '../store/records.ts';
import type { PolicyDocument } from './document.ts';
import { decide } from './grant.ts';
import type { Grant } from './grant.ts';
import { parsePolicy } from './parse-document.ts';
import { closedPolicy, openPolicy, Policy } from './policy.ts';

const ID = 'current';
/** The key of the one record. */
export const POLICY_KEY = keyOf('policy', ID);

/** A policy as it is stored. A cleared one is a document without rules, so that a record that has gone shows. */
interface PolicyRecord {
  readonly document: PolicyDocument;
  /** ISO 8601. */
  readonly updatedAt: string;
  readonly updatedBy: string;
}

/** The policy as it is held; replaced, never changed. */
export interface HeldPolicy {
  /** Undefined before the first, and for one that cannot be believed. */
  readonly record: PolicyRecord | undefined;
  /** The stored version, ETag material. */
  readonly version: string | undefined;
  /** Why it cannot be believed: then nothing is allowed but to repair it. */
  readonly refusal: GatewayError | undefined;
}

export interface PoliciesOptions {
  readonly records: RecordStore;
  /** A change is a generation, so that the other instances come to it. */
  readonly rotation: Pick<Rotation, 'commit'>;
  readonly clock: Clock;
  readonly events: EventSink;
  /** False where whoever calls could change the store as well: nobody is held back then. */
  readonly isEnforced: boolean;
}

const NOTHING_SAID: HeldPolicy = { record: undefined, version: undefined, refusal: undefined };

/** The one policy of the fleet: kept in the store, asked in memory. */
export class Policies {
  readonly #options: PoliciesOptions;
  #held = NOTHING_SAID;
  #inForce = openPolicy();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: PoliciesOptions) {
    this.#options = options;
  }

  /** What is asked now. */
  get inForce(): Policy {
    return this.#inForce;
  }

  /** What is stored. */
  get held(): HeldPolicy {
    return this.#held;
  }

  /** Reads the record again; true when another policy holds than before. @throws GatewayError store_unavailable */
  reload(): Promise<boolean> {
    return this.#alone(async () => this.#hold(await this.#load()));
  }

  /**
   * Puts a policy in the place of the one there is.
   *
   * @param ifVersions the stored version must be one of these; absent means whatever is stored
   * @throws GatewayError version_stale, policy_locks_out, record_newer, store_unavailable
   */
  replace(grant: Grant, document: PolicyDocument, ifVersions?: readonly string[]): Promise<HeldPolicy> {
    return this.#alone(async () => {
      const { clock, events, rotation, isEnforced } = this.#options;
      if (isEnforced) refuseLockOut(grant.principal, document);
      const before = await this.#load();
      if (before.refusal?.code === 'record_newer') throw before.refusal;
      if (ifVersions !== undefined && !ifVersions.includes(before.version ?? '')) throw stale();
      const by = grant.subject;
      const record: PolicyRecord = { document, updatedAt: new Date(clock.nowMs()).toISOString(), updatedBy: by };
      const version = newId();
      const change = { kind: 'policy', id: ID, body: record, version, ...expectationOf(before) } as const;
      const note = { by, reason: 'change', scope: [POLICY_KEY] } as const;
      const held = { record, version, refusal: undefined };
      if (!(await rotation.commit([change], note, () => void this.#hold(held)))) throw stale();
      events('policy.changed', { by, rules: document.rules.length });
      return held;
    });
  }

  /** Tells once, when other rules apply to a caller than now, unless `until` aborts before. */
  whenOther(caller: Principal, tell: () => void, until: AbortSignal): void {
    const id = this.#inForce.rulesOf(caller)?.id;
    const look = (): void => {
      if (this.#inForce.rulesOf(caller)?.id === id) return watch();
      tell();
    };
    const watch = (): void => {
      this.#inForce.superseded.addEventListener('abort', look, { once: true, signal: until });
    };
    watch();
  }

  async #load(): Promise<HeldPolicy> {
    const { records, events } = this.#options;
    try {
      const stored = await records.get<PolicyRecord>('policy', ID);
      if (stored === undefined) return this.#held === NOTHING_SAID ? NOTHING_SAID : refusedBy(gone());
      if (stored.version === this.#held.version) return this.#held;
      // another build may have written what this one cannot hold to
      const document = parsePolicy(stored.body.document);
      return { record: { ...stored.body, document }, version: stored.version, refusal: undefined };
    } catch (thrown) {
      const { code, message, hint } = toGatewayError(thrown);
      if (code === 'store_unavailable') throw thrown;
      const unknown = code === 'request_invalid';
      const refusal = new GatewayError(
        unknown ? 'record_invalid' : code,
        unknown ? `${POLICY_KEY} says what this build does not know: ${message}` : message,
        { ...(hint !== undefined && { hint }) },
      );
      if (this.#held.refusal?.message === refusal.message) return this.#held;
      events('record.refused', { record: POLICY_KEY, code: refusal.code, message: refusal.message });
      return refusedBy(refusal);
    }
  }

  /** True when it is another than the one before. */
  #hold(held: HeldPolicy): boolean {
    if (held === this.#held) return false;
    this.#held = held;
    const before = this.#inForce;
    this.#inForce = this.#options.isEnforced ? asWritten(held) : openPolicy();
    before.supersede();
    return true;
  }

  /** One after the other, so that what was read earlier does not take the place of what was written later. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

/** What is stored, ready to be asked. */
export function asWritten({ record, refusal }: HeldPolicy): Policy {
  if (refusal !== undefined) return closedPolicy();
  return record === undefined ? openPolicy() : new Policy(record.document);
}

const refusedBy = (refusal: GatewayError): HeldPolicy => ({ record: undefined, version: undefined, refusal });

/** What cannot be believed is written over. */
const expectationOf = ({ refusal, version }: HeldPolicy) =>
  refusal === undefined ? { expectedVersion: version ?? null } : {};

function refuseLockOut(principal: Principal | undefined, document: PolicyDocument): void {
  if (principal === undefined) return;
  const change = { kind: 'admin', name: 'policy:write' } as const;
  const decision = decide(principal, change, new Policy(document).rulesOf(principal));
  if (decision.allowed) return;
  const why = decision.rule === undefined ? 'no rule allows it' : `the rule ${decision.rule} denies it`;
  throw new GatewayError(
    'policy_locks_out',
    `with this policy ${principal.subject} could not change the policy again: ${why}`,
    {
      hint: 'add a rule that allows you the admin action policy:*; `postern policy` on the data directory is held back by no rule',
    },
  );
}

const stale = (): GatewayError =>
  new GatewayError('version_stale', 'the policy was changed since it was read', {
    hint: 'read it again, and repeat the change with the ETag as it came, quotes included',
  });

const gone = (): GatewayError =>
  new GatewayError('record_tampered', `${POLICY_KEY} was removed outside the gateway`, {
    hint: 'apply the policy again, or clear it: `postern policy --help`',
  });
