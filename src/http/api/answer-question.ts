import { GatewayError } from '../../base/errors.ts';
import { addressVerdict, itemNamed, itemVerdict } from '../../catalog/named-item.ts';
import type { NamedItem } from '../../catalog/named-item.ts';
import type { ServerSnapshot } from '../../catalog/server-snapshot.ts';
import { Views } from '../../catalog/views.ts';
import type { VirtualServer } from '../../catalog/virtual-server.ts';
import type { Caller } from '../../identity/who.ts';
import type { Policy } from '../../policy/policy.ts';
import type { PolicyQuestion } from '../../policy/question.ts';
import type { RuleSet, Verdict } from '../../policy/rule-set.ts';
import type { Target } from '../../wire/mcp.ts';

/** What a policy says to a question. @see /openapi.json, PolicyAnswer */
export interface PolicyAnswer {
  readonly allowed: boolean;
  /** The rule that decided; null where none allows it, or where there are no rules. */
  readonly rule: string | null;
  readonly why: string;
  /** Every rule that is about the caller. */
  readonly rules: readonly string[];
  /** What was asked for, as its upstream names it. */
  readonly item: NamedItem | null;
}

/** Decides as the gateway would, and says why. @throws GatewayError not_found for a name that leads nowhere */
export function answerQuestion(question: PolicyQuestion, policy: Policy, snapshot: ServerSnapshot): PolicyAnswer {
  const caller = callerIn(question);
  const rules = policy.rulesOf(caller);
  const names = rules?.names ?? [];
  if (question.admin !== undefined) {
    const verdict = rules?.admin(question.admin) ?? NO_RULES;
    const hasRole = caller.role === 'admin' || question.admin === 'metrics:read';
    return { ...(hasRole ? said(verdict, rules) : ROLE_MISSING), rules: names, item: null };
  }
  const asked = question.server ?? '/mcp';
  const server = asked === '/mcp' ? snapshot.everything : snapshot.named(asked);
  const address = server?.address ?? asked;
  const item = itemIn(question, server, address);
  if (rules === undefined) return { ...said(NO_RULES, rules), rules: names, item: item ?? null };
  const verdict = item ? itemVerdict(rules, address, item) : reachVerdict(question, rules, server, address);
  const isReached = !verdict.allowed || isIn(server && new Views().of(server, rules), question);
  const decided = isReached ? said(verdict, rules) : HIDDEN;
  return { ...decided, rules: names, item: item ?? null };
}

/** Whether anything could be had of a gateway, or at an address. */
function reachVerdict(
  { gateway }: PolicyQuestion,
  rules: RuleSet,
  server: VirtualServer | undefined,
  address: string,
): Verdict {
  if (gateway !== undefined) return rules.item(address, gateway);
  return server === undefined ? rules.address(address) : addressVerdict(rules, server);
}

const ROLE_MISSING = { allowed: false, rule: null, why: 'administration needs role admin' };
const NO_RULES: Verdict = { allowed: true, rule: undefined };
/** A resource is read by a template, and at an address there may be nothing of what would be allowed. */
const HIDDEN = {
  allowed: false,
  rule: null,
  why: 'no rule allows what it is had by: a gateway there, or its template',
};

function said({ allowed, rule }: Verdict, rules: RuleSet | undefined) {
  if (rules === undefined) return { allowed, rule: null, why: 'there are no rules' };
  if (rule === undefined) return { allowed, rule: null, why: 'no rule allows it' };
  return { allowed, rule, why: `the rule ${rule} ${allowed ? 'allows' : 'denies'} it` };
}

function callerIn({ caller: { role = 'user', method = 'token', ca, ...facts } }: PolicyQuestion): Caller {
  const certificate =
    ca === undefined ? {} : { certificate: { subject: undefined, issuer: undefined, sha256: undefined, ca } };
  return { ...facts, role, method, ...certificate };
}

/** What is asked for; undefined when that is the address itself. */
function targetIn({ tool, prompt, resource }: PolicyQuestion): Target | undefined {
  if (tool !== undefined) return { by: 'name', of: 'tools', value: tool };
  if (prompt !== undefined) return { by: 'name', of: 'prompts', value: prompt };
  return resource === undefined ? undefined : { by: 'uri', value: resource };
}

function itemIn(question: PolicyQuestion, server: VirtualServer | undefined, address: string): NamedItem | undefined {
  const target = targetIn(question);
  const { gateway } = question;
  if (gateway !== undefined) {
    if (target === undefined || target.by === 'none') return undefined;
    return { gateway, kind: target.by === 'uri' ? 'resources' : target.of, name: target.value };
  }
  if (server === undefined)
    throw new GatewayError('not_found', `no active server is called ${address}`, { hint: 'or name the gateway too' });
  if (target === undefined) return undefined;
  const item = itemNamed(server, target);
  if (item !== undefined) return item;
  throw new GatewayError('not_found', `nothing at ${address} has this name`, {
    hint: 'say it as callers of that address do, or name the gateway and say it as the gateway does',
  });
}

/** Whether a view has what is asked for; what is named by its gateway need not be there. */
function isIn(view: VirtualServer | undefined, question: PolicyQuestion): boolean {
  if (question.gateway !== undefined) return true;
  const target = targetIn(question);
  return view !== undefined && (target === undefined || itemNamed(view, target) !== undefined);
}
