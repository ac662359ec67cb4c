import { GatewayError } from '../../src/index.ts';

/**
 * Bun before 1.4 may present one upstream's client certificate to another, and believes an authority it was not given
 * (oven-sh/bun#26125). It is told by what came after: `Bun.FetchSession`, from 1.4.3.
 *
 * @throws GatewayError capability_unsupported
 */
export function requireFetchSession(): void {
  const { Bun } = globalThis as { Bun?: { readonly version?: string; readonly FetchSession?: unknown } };
  if (Bun?.FetchSession !== undefined) return;
  throw new GatewayError('capability_unsupported', `expected Bun 1.4.3 or newer, met ${Bun?.version ?? 'no Bun'}`, {
    hint: 'older ones mix up the client certificates of different upstreams: run `bun upgrade`',
  });
}
