/**
 * What a handshake's surroundings cost: naming a profile, finding its channel, building its context.
 * Run with `node bench/tls.bench.ts`.
 */
import { strict as assert } from 'node:assert';
import { bench, do_not_optimize, run, summary } from 'mitata';
import { systemClock } from '../adapters/node/clock.ts';
import { createNodeDialer } from '../adapters/node/dialer/dialer.ts';
import { buildSecureContext } from '../adapters/node/dialer/secure-context.ts';
import { ChannelCache } from '../src/tls/channel-cache.ts';
import { fingerprintOf } from '../src/tls/fingerprint.ts';
import { identityOf, profileOf } from '../test/support/open-test-profile.ts';
import { mintPki } from '../test/support/pki.ts';

const ORIGIN = 'https://localhost:1';
const ca = await (await mintPki()).ca('root');
const identity = identityOf(await ca.issue({ cn: 'client', eku: 'client' }));
const only = await profileOf({ caCertificate: ca.pem, ...identity });
const add = await profileOf({ caCertificate: ca.pem, caMode: 'add', ...identity });
const system = await profileOf(identity);

const events = (): void => {};
const dialer = createNodeDialer({ events, clock: systemClock, contextCache: { maxIdle: 10 } });
const channels = new ChannelCache({ dialer, clock: systemClock, events, maxIdle: 10 });
const held = await channels.lease(only, ORIGIN);
const again = await channels.lease(only, ORIGIN);
assert.equal(again.value, held.value);
assert.equal(fingerprintOf(only), only.fingerprint);
assert.notEqual(add.fingerprint, only.fingerprint);

bench('fingerprint of a profile', () => do_not_optimize(fingerprintOf(only)));
bench('lease and release of an open channel', async () => (await channels.lease(only, ORIGIN)).release());
summary(() => {
  bench('context, system roots', () => do_not_optimize(buildSecureContext(system)));
  bench('context, only our CA', () => do_not_optimize(buildSecureContext(only)));
  bench('context, our CA added', () => do_not_optimize(buildSecureContext(add)));
});

await run();
await channels.close();
await dialer.close();
