import { deepEqual } from 'node:assert/strict';
import { bench, do_not_optimize as keep, summary } from 'mitata';
import { joinedServer, type Source } from '../../src/catalog/virtual-server.ts';
import type { UpstreamFacts } from '../../src/upstream/facts.ts';
import type { Upstream } from '../../src/upstream/upstream.ts';

const TOOLS_EACH = 20;

function source(index: number): Source {
  const tools = Array.from({ length: TOOLS_EACH }, (_, tool) => ({ name: `tool_${tool}` }));
  const facts: UpstreamFacts = {
    transport: 'streamable-http',
    legacy: { protocolVersion: '2025-11-25', capabilities: { tools: {} } },
    listing: { tools, prompts: [], resources: [], resourceTemplates: [] },
    listedAt: new Date(0).toISOString(),
  };
  // routing looks at nothing else of an upstream
  return { id: `id-${index}`, prefix: `server-${index}_`, upstream: { facts } as unknown as Upstream };
}

/** From a tool's name to its upstream with 1, 10 and 150 upstreams, beside a Map that knows every name. */
export function benchRouting(): void {
  for (const count of [1, 10, 150]) {
    const sources = Array.from({ length: count }, (_, index) => source(index));
    const server = joinedServer(sources);
    const known = new Map<string, Upstream>(
      sources.flatMap((member) =>
        Array.from({ length: TOOLS_EACH }, (_, tool) => [`${member.prefix}tool_${tool}`, member.upstream] as const),
      ),
    );
    const value: string = `server-${count - 1}_tool_7`;
    const ours = (): Upstream | undefined =>
      server.catalogue.route({ by: 'name', of: 'tools', value })?.member.upstream;
    const bare = (): Upstream | undefined => known.get(value);
    deepEqual(ours() === bare() && ours() !== undefined, true);

    summary(() => {
      bench(`routing: Map of ${known.size} names`, () => keep(bare()));
      bench(`routing: ${count} upstreams`, () => keep(ours()));
    });
  }
}
