import { GatewayError, revealed, slugOf, toGatewayError } from '../../../../src/index.ts';
import type { ImportStatus, PlannedEntry } from '../../../../src/index.ts';
import type { ApiClient } from '../gateways/client.ts';
import { PATHS } from './registered.ts';

type View = Readonly<Record<string, unknown>>;

/** What became of an entry. */
export interface ImportResult {
  readonly planned: PlannedEntry;
  readonly status: ImportStatus | 'failed';
  /** What the gateway answered. */
  readonly view?: View;
  readonly error?: GatewayError;
}

interface CarryOutOptions {
  /** Whether gateways are reached before they are stored. */
  readonly connect: boolean;
}

/** Does what was planned, one entry after the other; one that fails leaves the others alone. */
export async function carryOut(
  plan: readonly PlannedEntry[],
  client: ApiClient,
  options: CarryOutOptions,
): Promise<readonly ImportResult[]> {
  const results: ImportResult[] = [];
  for (const planned of plan) results.push(await carryOutOne(planned, client, options));
  return results;
}

async function carryOutOne(planned: PlannedEntry, client: ApiClient, options: CarryOutOptions): Promise<ImportResult> {
  const { status, entry } = planned;
  if (status !== 'imported' && status !== 'replaced') return { planned, status };
  try {
    const write = entry.kind === 'gateway' ? writeGateway : writeServer;
    return { planned, status, view: await write(planned, client, options) };
  } catch (error) {
    return { planned, status: 'failed', error: toGatewayError(error) };
  }
}

async function writeGateway({ entry, registered }: PlannedEntry, client: ApiClient, { connect }: CarryOutOptions) {
  const body = revealed(entry.body) as object;
  if (registered === undefined) {
    const query = connect && entry.enabled ? '' : '?connect=false';
    const view = (await client.send('POST', PATHS.gateway + query, body)) as View;
    return entry.enabled ? view : setActive(client, String(view['id']), false);
  }
  const wasEnabled = registered.view['enabled'] !== false;
  // what is out of service is changed without being reached
  if (wasEnabled && !entry.enabled) await setActive(client, registered.id, false);
  const view = (await client.send('PUT', pathOf('gateway', registered.id), body)) as View;
  return !wasEnabled && entry.enabled ? setActive(client, registered.id, true) : view;
}

const pathOf = (kind: keyof typeof PATHS, id: string): string => `${PATHS[kind]}/${encodeURIComponent(id)}`;

async function setActive(client: ApiClient, id: string, active: boolean): Promise<View> {
  return (await client.send('POST', `${pathOf('gateway', id)}/state?activate=${active}`)) as View;
}

async function writeServer({ entry, members, registered }: PlannedEntry, client: ApiClient) {
  const rules: object[] = [];
  for (const { gateway, rule, toolSlugs } of members)
    rules.push({ gateway, ...rule, ...(toolSlugs && { tools: await toolsOf(gateway, toolSlugs, client) }) });
  const body = { ...(revealed(entry.body) as object), members: rules, enabled: entry.enabled };
  if (registered === undefined) return (await client.send('POST', PATHS.server, body)) as View;
  // an id is given once, at the start
  const { id: _, ...change } = body as typeof body & { readonly id?: unknown };
  return (await client.send('PUT', pathOf('server', registered.id), change)) as View;
}

/** Tools of which only the slug is known, by the names the gateway has for them. */
async function toolsOf(gateway: string, slugs: readonly string[], client: ApiClient): Promise<readonly string[]> {
  const tools = (await client.send('GET', '/v1/tools')) as readonly View[];
  const names = tools.filter((tool) => tool['gatewaySlug'] === gateway).map((tool) => String(tool['originalName']));
  return slugs.map((slug) => {
    const [name, ...others] = names.filter((one) => slugOf(one) === slug);
    if (name !== undefined && others.length === 0) return name;
    const met = name === undefined ? 'none' : `${others.length + 1} of them`;
    throw new GatewayError('config_invalid', `expected one tool of ${gateway} that is spelt ${slug}, met ${met}`, {
      hint: 'the gateway must be connected and in service; then import again, or make the virtual server by hand',
    });
  });
}
