import { deepEqual } from 'node:assert/strict';
import { bench, do_not_optimize as keep, summary } from 'mitata';
import { joinedServer } from '../../src/catalog/virtual-server.ts';
import { Admission } from '../../src/http/mcp/admission.ts';
import type { Admitted } from '../../src/http/mcp/admission.ts';
import { mintPrincipal } from '../../src/identity/principal.ts';
import type { PolicyRule } from '../../src/policy/document.ts';
import type { Policies } from '../../src/policy/policies.ts';
import { Policy } from '../../src/policy/policy.ts';
import type { UpstreamFacts } from '../../src/upstream/facts.ts';
import type { Upstream } from '../../src/upstream/upstream.ts';

const RULE_COUNT = 200;

/** May a known caller use a server, and where does its tool lead: without a policy, and with rules that hide some of it. */
export function benchPolicy(): void {
  const tools = Array.from({ length: 20 }, (_, tool) => ({ name: `tool_${tool}` }));
  const facts: UpstreamFacts = {
    transport: 'streamable-http',
    legacy: { protocolVersion: '2025-11-25', capabilities: { tools: {} } },
    listing: { tools, prompts: [], resources: [], resourceTemplates: [] },
    listedAt: new Date(0).toISOString(),
  };
  // admission and routing look at nothing else of an upstream
  const upstream = { facts, config: { slug: 'crm' } } as unknown as Upstream;
  const server = joinedServer([{ id: 'crm', prefix: 'crm_', upstream }]);
  const others = Array.from({ length: RULE_COUNT }, (_, index): PolicyRule => {
    return { name: `${index}`, who: { subject: `team-${index}-*` }, allow: { servers: `desk-${index}` } };
  });
  const rules: readonly PolicyRule[] = [
    ...others,
    { name: 'all', allow: { servers: '*' } },
    { name: 'some', deny: { tools: 'tool_1*' } },
  ];
  const ann = mintPrincipal({ subject: 'ann', role: 'user', method: 'token' });
  const callOver = (given: readonly PolicyRule[]) => {
    const inForce = new Policy({ rules: given });
    // nothing is refused and nothing is stored
    const admission = new Admission({
      policies: { inForce } as unknown as Policies,
      events: () => undefined,
      authenticate: () => ann,
      certifies: () => false,
    });
    const incoming = { request: new Request('http://localhost/mcp') };
    return (): string | undefined => {
      // no certificate is asked for, so nothing is waited for
      const admitted = admission.admit(ann, incoming, () => server) as Admitted;
      const route = admitted.server.catalogue.route({ by: 'name', of: 'tools', value: 'crm_tool_7' });
      return route?.upstreamName;
    };
  };
  const [without, under] = [callOver([]), callOver(rules)];
  deepEqual([without(), under()], ['tool_7', 'tool_7']);

  summary(() => {
    bench('policy: no rules', () => keep(without()));
    bench(`policy: ${rules.length} rules, some tools hidden`, () => keep(under()));
  });
}
