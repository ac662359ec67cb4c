import { GatewayError } from '../base/errors.ts';
import { slugOf } from '../base/ids.ts';
import { applyAuth } from './apply-auth.ts';
import { applyTls } from './apply-tls.ts';
import type { GatewayCreate } from './gateway-input.ts';
import type { GatewayPatch } from './gateway-fields.ts';
import type { GatewayDraft, GatewayLabels } from './gateway-record.ts';
import { kept } from './kept.ts';
import { parseUpstreamUrl } from './upstream-url.ts';

const TRANSPORTS = { AUTO: 'auto', STREAMABLEHTTP: 'streamable-http', SSE: 'sse' } as const;

/** The gateway's own callers show these to the gateway, or they belong to one hop or to MCP itself. */
const NEVER_PASSED =
  /^(?:authorization|cookie|proxy-.*|host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|content-.*|accept-encoding|mcp-.*)$/;

/**
 * A gateway as a registration describes it, with the slug made of its name.
 *
 * @throws GatewayError as `applyPatch`
 */
export function draftOf(id: string, input: GatewayCreate): GatewayDraft {
  const slug = slugOf(input.name);
  const blank: GatewayDraft = {
    id,
    slug,
    name: input.name,
    url: input.url,
    transport: 'auto',
    prefix: `${slug}_`,
    enabled: true,
    passthroughHeaders: [],
    auth: { type: 'none' },
    tls: {},
    labels: {},
  };
  return applyPatch(blank, input);
}

/**
 * A gateway after a change: absent keeps, `*****` keeps a secret, null clears.
 *
 * @throws GatewayError url_refused, config_invalid, request_invalid, key_missing and the unreadable codes of PEM fields
 */
export function applyPatch(stored: GatewayDraft, patch: GatewayPatch): GatewayDraft {
  const url = parseUpstreamUrl(patch.url ?? stored.url);
  return {
    ...stored,
    name: (patch.name ?? stored.name).trim(),
    description: kept(patch.description, stored.description, (text) => text),
    url: url.href,
    transport: kept(patch.transport, stored.transport, (transport) => TRANSPORTS[transport]) ?? 'auto',
    prefix: kept(patch.prefix, stored.prefix, (prefix) => prefix) ?? `${stored.slug}_`,
    passthroughHeaders: kept(patch.passthroughHeaders, stored.passthroughHeaders, passed) ?? [],
    refreshIntervalSeconds: kept(patch.refreshIntervalSeconds, stored.refreshIntervalSeconds, (seconds) => seconds),
    auth: applyAuth(stored.auth, patch),
    tls: applyTls(stored.tls, patch, url),
    labels: applyLabels(stored.labels, patch),
  };
}

function passed(names: readonly string[]): readonly string[] {
  const lower = [...new Set(names.map((name) => name.toLowerCase()))];
  const refused = lower.filter((name) => NEVER_PASSED.test(name));
  if (refused.length > 0)
    throw new GatewayError('config_invalid', `${refused.join(', ')} never goes from a caller to an upstream`, {
      hint: 'to log in at the upstream use auth_type',
      details: { headers: refused },
    });
  return lower;
}

function applyLabels(stored: GatewayLabels, patch: GatewayPatch): GatewayLabels {
  return {
    tags: kept(patch.tags, stored.tags, (tags) => tags),
    teamId: kept(patch.teamId, stored.teamId, (team) => team),
    ownerEmail: kept(patch.ownerEmail, stored.ownerEmail, (email) => email),
    visibility: kept(patch.visibility, stored.visibility, (visibility) => visibility),
    signingAlgorithm: kept(patch.signingAlgorithm, stored.signingAlgorithm, (algorithm) => algorithm),
  };
}
