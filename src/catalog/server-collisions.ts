import { GatewayError } from '../base/errors.ts';
import { slugTaken } from '../registry/collisions.ts';
import type { GatewayEntry, RegisteredGateway } from '../registry/snapshot.ts';
import { serverFrom } from './selection.ts';
import type { ServerDraft } from './server-record.ts';

/**
 * Refuses a virtual server whose name, slug or id another one has, or a gateway: all addresses are in one namespace.
 *
 * @param others the other virtual servers
 * @throws GatewayError name_taken
 */
export function refuseTaken(
  { id, slug, name }: ServerDraft,
  others: readonly ServerDraft[],
  gateways: readonly RegisteredGateway[],
): void {
  const namesake = others.find((other) => other.name === name);
  if (namesake !== undefined)
    throw new GatewayError('name_taken', `the name is taken by the virtual server ${namesake.slug}`, {
      hint: 'choose another name, or change that server',
      details: { server: namesake.slug },
    });
  const addresses = new Map<string, string>();
  for (const other of others)
    for (const address of [other.id, other.slug]) addresses.set(address, `the virtual server ${other.name}`);
  for (const gateway of gateways)
    for (const address of [gateway.id, gateway.record?.slug ?? gateway.id])
      addresses.set(address, `the gateway ${gateway.record?.name ?? gateway.id}`);
  const holderOfSlug = addresses.get(slug);
  if (holderOfSlug !== undefined) throw slugTaken(slug, holderOfSlug);
  const holderOfId = addresses.get(id);
  if (holderOfId !== undefined)
    throw new GatewayError('name_taken', `the id ${id} is taken by ${holderOfId}`, { hint: 'leave the id out' });
}

/** Refuses a virtual server in which two tools or prompts would have one name. @throws GatewayError name_taken */
export function refuseSharedNames(draft: ServerDraft, entries: readonly GatewayEntry[]): void {
  const { catalogue } = serverFrom(draft, entries);
  for (const [method, what] of [
    ['tools/list', 'tool'],
    ['prompts/list', 'prompt'],
  ] as const)
    for (const { name, shown, hidden } of catalogue.collisions(method)) {
      const both = [shown, hidden].map(({ member, upstreamName }) => ({
        gateway: member.upstream.config.slug,
        name: upstreamName ?? name,
      }));
      const said = both.map((one) => `${one.name} of ${one.gateway}`).join(' and ');
      throw new GatewayError('name_taken', `${name} would be the name of two ${what}s: ${said}`, {
        hint: 'give one of the gateways a prefix, or a tool an alias, or leave one out',
        details: { name, [`${what}s`]: both },
      });
    }
}
