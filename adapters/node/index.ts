/** Postern on Node: the platform and the listener, for programs that embed the gateway. */
export { systemClock } from './clock.ts';
export { createNodeDialer } from './dialer/dialer.ts';
export { openListener } from './listener/listener.ts';
export { createNodePlatform } from './platform.ts';
export { openStorage } from './storage/open-storage.ts';
