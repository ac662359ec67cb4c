/**
 * Dials, on the runtime that runs it and in the environment it is given, and prints what came of each dial as a line of
 * JSON: `ok`, or a code. Its argument is JSON: an origin, and materials by name. Secrets are none of it.
 */
import { openKey } from '../../adapters/node-compat/open-key.ts';
import { systemClock } from '../../adapters/node-compat/clock.ts';
import { createDialer } from '../../adapters/node-compat/dialer/dialer.ts';
import type { Runtime } from '../../adapters/node-compat/runtime.ts';
import { GatewayError } from '../../src/base/errors.ts';
import { openProfile } from '../../src/tls/open-profile.ts';
import type { TlsMaterial } from '../../src/tls/profile.ts';

const [adapter = '', asked = '{}'] = process.argv.slice(2);
const { dials } = JSON.parse(asked) as { dials: readonly (readonly [origin: string, material: TlsMaterial])[] };
const exported = (await import(`../../adapters/${adapter}/runtime.ts`)) as Record<string, Runtime>;
const runtime = Object.values(exported)[0];
if (runtime === undefined) throw new TypeError(`no runtime in ${adapter}`);

const dialer = createDialer(runtime, { events: () => undefined, clock: systemClock, contextCache: { maxIdle: 10 } });
const { capabilities } = dialer;

async function outcome(origin: string, material: TlsMaterial): Promise<string> {
  try {
    const nowMs = systemClock.nowMs();
    const profile = await openProfile(material, { openKey, nowMs, capabilities, allowInsecureTls: true });
    const channel = await dialer.open(profile, origin);
    try {
      return await (await channel.send({ method: 'GET', path: '/', headers: {} })).text(10);
    } finally {
      channel.destroy(new GatewayError('channel_closed', 'enough'));
    }
  } catch (error) {
    return error instanceof GatewayError ? error.code : String(error);
  }
}

const outcomes: string[] = [];
for (const [origin, material] of dials) outcomes.push(await outcome(origin, material));
process.stdout.write(`${JSON.stringify(outcomes)}\n`);
