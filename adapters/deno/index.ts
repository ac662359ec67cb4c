/** Postern on Deno: the platform and the listener, for programs that embed the gateway. */
export { systemClock } from '../node-compat/clock.ts';
export { createDialer } from '../node-compat/dialer/dialer.ts';
export { openListener } from '../node-compat/listener/listener.ts';
export { createPlatform } from '../node-compat/platform.ts';
export { openStorage } from '../node-compat/storage/open-storage.ts';
export { DENO } from './runtime.ts';
