import type { Registered } from '../../../../src/index.ts';
import type { ApiClient } from '../gateways/client.ts';

type View = Readonly<Record<string, unknown>>;

/** Where gateways and virtual servers are. */
export const PATHS = { gateway: '/v1/gateways', server: '/v1/servers' } as const;

/** Everything a gateway has registered, also what is out of service. */
export async function registeredIn(client: ApiClient): Promise<readonly Registered[]> {
  const [gateways, servers] = [await viewsOf(client, 'gateway'), await viewsOf(client, 'server')];
  return [
    ...gateways.map((view) => registeredOf('gateway', view)),
    ...servers.map((view) => registeredOf('server', view)),
  ];
}

/** What the REST API answers of each. */
export async function viewsOf(client: ApiClient, kind: keyof typeof PATHS): Promise<readonly View[]> {
  return (await client.send('GET', `${PATHS[kind]}?include_inactive=true`)) as readonly View[];
}

const registeredOf = (kind: Registered['kind'], view: View): Registered => ({
  kind,
  id: String(view['id']),
  name: String(view['name']),
  slug: String(view['slug']),
  view,
});
