import { GatewayError } from '../base/errors.ts';
import { slugOf } from '../base/ids.ts';
import type { TransportChoice } from '../upstream/upstream-config.ts';
import { applyAuth } from './apply-auth.ts';
import { applyProgram, refuseAddressFields, refuseProgramFields } from './apply-program.ts';
import { applyTls } from './apply-tls.ts';
import type { GatewayCreate } from './gateway-input.ts';
import type { GatewayPatch } from './gateway-fields.ts';
import type { GatewayDraft } from './gateway-record.ts';
import { kept } from './kept.ts';
import { labelsAfter } from './labels.ts';
import { parseUpstreamUrl } from './upstream-url.ts';

const TRANSPORTS = { AUTO: 'auto', STREAMABLEHTTP: 'streamable-http', SSE: 'sse', STDIO: 'stdio' } as const;

/** The gateway's own callers show these to the gateway, or they belong to one hop or to MCP itself. */
const NEVER_PASSED =
  /^(?:authorization|cookie|proxy-.*|host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|sec-websocket-.*|content-.*|accept-encoding|mcp-.*)$/;

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
    transport: input.command === undefined || input.command === null ? 'auto' : 'stdio',
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
 * A gateway after a change: absent keeps, `*****` keeps a secret, null clears. One that becomes a program, or no longer
 * is one, forgets what the other kind had.
 *
 * @throws GatewayError url_refused, config_invalid, request_invalid, key_missing and the unreadable codes of PEM fields
 */
export function applyPatch(stored: GatewayDraft, patch: GatewayPatch): GatewayDraft {
  const transport = kept(patch.transport, stored.transport, (transport) => TRANSPORTS[transport]) ?? 'auto';
  const protocolEra = kept(patch.protocolEra, stored.protocolEra, (era) => era);
  if (transport === 'sse' && protocolEra === 'modern')
    throw new GatewayError(
      'config_invalid',
      'the transport SSE is of the legacy era, so protocol_era modern never speaks it',
      {
        details: { field: 'protocolEra' },
      },
    );
  return {
    ...stored,
    name: (patch.name ?? stored.name).trim(),
    description: kept(patch.description, stored.description, (text) => text),
    ...(transport === 'stdio' ? programPart(stored, patch) : addressPart(stored, patch, transport)),
    protocolEra,
    prefix: kept(patch.prefix, stored.prefix, (prefix) => prefix) ?? `${stored.slug}_`,
    refreshIntervalSeconds: kept(patch.refreshIntervalSeconds, stored.refreshIntervalSeconds, (seconds) => seconds),
    requestTimeoutSeconds: kept(patch.requestTimeoutSeconds, stored.requestTimeoutSeconds, (seconds) => seconds),
    labels: {
      ...labelsAfter(stored.labels, patch),
      signingAlgorithm: kept(patch.signingAlgorithm, stored.labels.signingAlgorithm, (algorithm) => algorithm),
    },
  };
}

function addressPart(stored: GatewayDraft, patch: GatewayPatch, transport: TransportChoice) {
  refuseProgramFields(patch);
  const text = kept(patch.url, stored.url, (given) => given);
  if (text === undefined)
    throw new GatewayError('config_invalid', 'a server behind a URL needs a url', { details: { field: 'url' } });
  const url = parseUpstreamUrl(text);
  return {
    url: url.href,
    transport,
    program: undefined,
    passthroughHeaders: kept(patch.passthroughHeaders, stored.passthroughHeaders, passed) ?? [],
    auth: applyAuth(stored.auth, patch),
    tls: applyTls(stored.tls, patch, url),
  };
}

function programPart(stored: GatewayDraft, patch: GatewayPatch) {
  refuseAddressFields(patch);
  return {
    url: undefined,
    transport: 'stdio',
    program: applyProgram(stored.program, patch),
    passthroughHeaders: [],
    auth: { type: 'none' },
    tls: {},
  } as const;
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
