import type { Servers } from '../../catalog/servers.ts';
import { parsePolicy } from '../../policy/parse-document.ts';
import { asWritten } from '../../policy/policies.ts';
import type { HeldPolicy, Policies } from '../../policy/policies.ts';
import { Policy } from '../../policy/policy.ts';
import { parseQuestion } from '../../policy/question.ts';
import { answerQuestion } from './answer-question.ts';
import { answer, bodyOf, grantOf, ifMatch, noQuery, versionedAnswer } from './routes.ts';
import type { Routes } from './routes.ts';

export interface PolicyRoutesOptions {
  readonly policies: Policies;
  readonly servers: Servers;
}

/** The REST API of the policy. Whoever gets here has an admin's Grant in the context. */
export function policyRoutes({ policies, servers }: PolicyRoutesOptions): Routes {
  const shown = (held: HeldPolicy): Response => versionedAnswer(viewOf(held), held.version);
  return {
    '': {
      GET: (c) => {
        noQuery(c);
        return shown(policies.held);
      },
      PUT: async (c) => {
        noQuery(c);
        const document = parsePolicy(await bodyOf(c));
        return shown(await policies.replace(grantOf(c), document, ifMatch(c).ifVersions));
      },
      DELETE: async (c) => {
        noQuery(c);
        return shown(await policies.replace(grantOf(c), { rules: [] }, ifMatch(c).ifVersions));
      },
    },
    '/test': {
      POST: async (c) => {
        noQuery(c);
        const question = parseQuestion(await bodyOf(c));
        const policy = question.policy === undefined ? asWritten(policies.held) : new Policy(question.policy);
        return answer(answerQuestion(question, policy, servers.snapshot()));
      },
    },
  };
}

/** The policy as it is shown. @see /openapi.json, PolicyRead */
function viewOf({ record, refusal }: HeldPolicy) {
  return {
    policy: record?.document ?? (refusal ? null : { rules: [] }),
    status: refusal ? 'refused' : 'active',
    lastError: refusal ? `${refusal.code}: ${refusal.message}` : null,
    updatedAt: record?.updatedAt ?? null,
    updatedBy: record?.updatedBy ?? null,
  };
}
