/** `npm run bench`: what the small things on the way of a call cost, each beside the least it could cost. */
import { run } from 'mitata';
import { benchCacheHit } from './micro/cache-hit.ts';
import { benchFingerprint } from './micro/fingerprint.ts';
import { benchPolicy } from './micro/policy.ts';
import { benchRouting } from './micro/routing.ts';
import { benchVaultOpen } from './micro/vault-open.ts';

await benchFingerprint();
await benchCacheHit();
await benchVaultOpen();
benchRouting();
benchPolicy();
await run();
