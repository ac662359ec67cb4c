import { describe, expect, test } from 'vitest';
import { decideVisit } from '../../../src/registry/decide-visit.ts';
import type { UpstreamFacts } from '../../../src/upstream/facts.ts';

const nowMs = Date.UTC(2026, 0, 10);
const ago = (ms: number): string => new Date(nowMs - ms).toISOString();
const DAY = 24 * 60 * 60 * 1000;

const legacy = { protocolVersion: '2025-11-25', capabilities: {} };
const modern = { supportedVersions: ['2026-07-28'], capabilities: {} };
const facts = (more: Partial<UpstreamFacts>): UpstreamFacts => ({
  transport: 'streamable-http',
  listing: { tools: [], prompts: [], resources: [], resourceTemplates: [] },
  listedAt: ago(0),
  ...more,
});
const fresh = { status: 'healthy', lastSuccessAt: ago(0), consecutiveFailures: 0, breaker: 'closed' } as const;
const visit = (more: Partial<Parameters<typeof decideVisit>[0]>) =>
  decideVisit({
    nowMs,
    intervalMs: 60_000,
    refreshIntervalSeconds: undefined,
    facts: facts({ modern }),
    health: fresh,
    ...more,
  });

test('what was never reached, or whose listing is due, is listed', () => {
  expect(visit({ facts: undefined })).toBe('relist');
  expect(visit({ refreshIntervalSeconds: 60, facts: facts({ modern, listedAt: ago(60_000) }) })).toBe('relist');
  expect(visit({ refreshIntervalSeconds: 60, facts: facts({ modern, listedAt: ago(59_999) }) })).toBe('nothing');
});

test('what a call proved fit just now is left alone, the rest is probed', () => {
  expect(visit({})).toBe('nothing');
  expect(visit({ health: { ...fresh, lastSuccessAt: ago(30_000) } })).toBe('probe');
  expect(visit({ health: { ...fresh, status: 'failing' } })).toBe('probe');
});

describe('a server taken for one of the legacy era alone is looked at again after a day', () => {
  const probed = (at: string) => ({ legacy, probedAt: { modern: at, legacy: at } });
  for (const [what, given, expected] of [
    ['after a day', probed(ago(DAY)), 'relist'],
    ['not before', probed(ago(DAY - 1)), 'nothing'],
    ['with facts that have no date yet', { legacy, listedAt: ago(DAY) }, 'relist'],
    ['not where it was not asked for the modern one', { legacy, probedAt: { legacy: ago(DAY) } }, 'nothing'],
    ['not where it speaks both', { ...probed(ago(DAY)), modern }, 'nothing'],
  ] as const)
    test(what, () => expect(visit({ facts: facts(given) })).toBe(expected));
});
