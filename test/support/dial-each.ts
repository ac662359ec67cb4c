/**
 * Run as a process of its own, so that its environment is the one under test: sends one request per dial and prints
 * what came of each. Argument: a JSON list of `{origin, material}`.
 */
import { systemClock } from '../../adapters/node-compat/clock.ts';
import { createDialer } from '../../adapters/node-compat/dialer/dialer.ts';
import { NODE } from '../../adapters/node/runtime.ts';
import { GatewayError } from '../../src/base/errors.ts';
import type { TlsMaterial } from '../../src/tls/profile.ts';
import { profileFor } from './profile-for.ts';

interface Dial {
  readonly origin: string;
  readonly material: TlsMaterial;
}

const dialer = createDialer(NODE, { events: () => {}, clock: systemClock, contextCache: { maxIdle: 1 } });

async function outcomeOf({ origin, material }: Dial): Promise<string> {
  const profile = origin.startsWith('https:') ? await profileFor(NODE, material) : undefined;
  const channel = await dialer.open(profile, origin);
  try {
    const response = await channel.send({ method: 'GET', path: '/', headers: {} });
    return `answered ${await response.text(100)}`;
  } catch (error) {
    return error instanceof GatewayError ? error.code : String(error);
  } finally {
    channel.destroy(new GatewayError('channel_closed', 'done'));
  }
}

const dials = JSON.parse(process.argv[2] ?? '[]') as readonly Dial[];
const outcomes: string[] = [];
for (const dial of dials) outcomes.push(await outcomeOf(dial));
console.log(JSON.stringify(outcomes));
