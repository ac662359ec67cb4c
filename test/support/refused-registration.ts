import { expect } from 'vitest';
import type { TestGateway } from './gateway.ts';

/** How a gateway with these fields is refused; nothing may be stored then. */
export async function refusalOf(gateway: TestGateway, fields: object, query = '') {
  const response = await gateway.api('POST', `/v1/gateways${query}`, { name: 'local', ...fields });
  const problem = (await response.json()) as { code: string; hint: string; message: string };
  expect(await (await gateway.api('GET', '/v1/gateways')).json()).toEqual([]);
  return { status: response.status, ...problem };
}
