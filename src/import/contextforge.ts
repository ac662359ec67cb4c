import { asFields, isFields } from '../base/fields.ts';
import type { Fields } from '../base/fields.ts';
import { slugOf } from '../base/ids.ts';
import { authFields } from './contextforge-auth.ts';
import { copied, isEnabled, labelsOf } from './contextforge-fields.ts';
import { serverEntry } from './contextforge-server.ts';
import { maskUrl } from './http-target.ts';
import { Hidden } from './hidden.ts';
import { noFindings } from './imported-entry.ts';
import type { Findings, ImportedGateway, ImportFile, LeftOut } from './imported-entry.ts';
import { listOf, memberOf, textOf } from './members.ts';

/** Collections an export of it may have, beside gateways and servers. */
const COLLECTIONS = new Set(['tools', 'prompts', 'resources', 'roots', 'a2a_agents', 'teams', 'users', 'tokens']);

/**
 * An export of ContextForge, or what its `/gateways` answers. Undefined for anything else.
 *
 * @see https://github.com/IBM/mcp-context-forge, mcpgateway/services/export_service.py
 */
export function readContextForge(root: unknown): ImportFile | undefined {
  const entities = entitiesOf(root);
  if (entities === undefined) return undefined;
  const gateways = listOf(entities, 'gateways');
  const servers = listOf(entities, 'servers');
  return {
    format: 'export of ContextForge',
    entries: [
      ...gateways.map(gatewayEntry),
      ...servers.map((server) =>
        serverEntry(
          server,
          gateways.map((gateway) => slugOf(textOf(gateway, 'name') ?? '')),
        ),
      ),
    ],
    leftOut: leftOutOf(entities),
  };
}

function entitiesOf(root: unknown): Fields | undefined {
  if (Array.isArray(root)) return root.length > 0 && root.every(isGateway) ? { gateways: root } : undefined;
  const { entities, gateways } = asFields(root) ?? {};
  if (isFields(entities) && ['gateways', 'servers', 'tools'].some((name) => Array.isArray(entities[name])))
    return entities;
  return Array.isArray(gateways) && gateways.length > 0 && gateways.every(isGateway) ? asFields(root) : undefined;
}

const isGateway = (value: unknown): boolean =>
  isFields(value) && typeof value['name'] === 'string' && typeof value['url'] === 'string';

function leftOutOf(entities: Fields): readonly LeftOut[] {
  const others = Object.entries(entities).filter(
    ([name, value]) => name !== 'gateways' && name !== 'servers' && (Array.isArray(value) || COLLECTIONS.has(name)),
  );
  return others
    .map(([what, value]) => ({
      what,
      count: Array.isArray(value) ? value.length : Object.keys(asFields(value) ?? {}).length,
      because: 'Postern serves what gateways offer, and nothing of its own',
    }))
    .filter(({ count }) => count > 0);
}

const TRANSPORTS: Readonly<Record<string, string>> = {
  SSE: 'SSE',
  STREAMABLEHTTP: 'STREAMABLEHTTP',
  HTTP: 'STREAMABLEHTTP',
};

function gatewayEntry(gateway: Fields): ImportedGateway {
  const findings = noFindings();
  const source = textOf(gateway, 'name') ?? '';
  const transport = (textOf(gateway, 'transport') ?? '').toUpperCase();
  const body = {
    ...copied(gateway, ['description', 'teamId', 'ownerEmail']),
    ...labelsOf(gateway),
    url: urlOf(gateway, findings),
    ...(Object.hasOwn(TRANSPORTS, transport) && { transport: TRANSPORTS[transport] }),
    ...headersOf(gateway),
    ...authFields(gateway, findings),
    ...tlsFields(gateway, findings),
    name: source,
  };
  refuseFeatures(gateway, findings);
  return { kind: 'gateway', source, body, enabled: isEnabled(gateway), ...findings };
}

function urlOf(gateway: Fields, { problems }: Findings): string | Hidden {
  const text = textOf(gateway, 'url') ?? '';
  if (!URL.canParse(text))
    problems.push({ kind: 'invalid', name: 'url', message: 'expected an absolute http or https URL' });
  const masked = maskUrl(text);
  return masked === text ? text : new Hidden(text, masked);
}

function headersOf(gateway: Fields): Fields {
  const given = memberOf(gateway, 'passthroughHeaders');
  const names = (Array.isArray(given) ? given : []).filter((name) => typeof name === 'string');
  return names.length > 0 ? { passthroughHeaders: names } : {};
}

/** What it verifies it verifies against the public authorities too. */
function tlsFields(gateway: Fields, { problems, changes }: Findings): Fields {
  const { caCertificate, clientCert } = copied(gateway, ['caCertificate', 'clientCert']);
  const key = textOf(gateway, 'clientKey');
  if (memberOf(gateway, 'caCertificateSig')) changes.push('the signature of its CA certificate is left out');
  if (caCertificate !== undefined) changes.push('the public authorities stay trusted beside its CA: ca_mode add');
  const isPlain = key?.includes('PRIVATE KEY-----');
  if ((clientCert !== undefined || key !== undefined) && !isPlain)
    problems.push({ kind: 'secret', name: 'client_key', message: 'its private key is not in the file in the clear' });
  return {
    ...(caCertificate !== undefined && { caCertificate, caMode: 'add' }),
    ...(clientCert !== undefined && { clientCert }),
    ...(isPlain && key !== undefined && { clientKey: new Hidden(key) }),
  };
}

function refuseFeatures(gateway: Fields, { problems, changes }: Findings): void {
  const propagation = asFields(memberOf(gateway, 'identityPropagation'));
  if (propagation?.['enabled'] === true)
    problems.push({
      kind: 'unsupported',
      name: 'identity_propagation',
      message: 'identity propagation is not supported yet',
    });
  if (memberOf(gateway, 'gatewayMode') === 'direct_proxy')
    changes.push('gateway_mode direct_proxy is left out: /servers/{slug}/mcp passes messages through untouched');
}
