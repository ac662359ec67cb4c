import { systemClock } from '../../adapters/node/clock.ts';
import { createNodeDialer } from '../../adapters/node/dialer/dialer.ts';
import { profileOf } from '../support/open-test-profile.ts';
import { dialerContract } from './dialer-contract.ts';

dialerContract('node', {
  createDialer: (options) => createNodeDialer({ ...options, clock: systemClock, contextCache: { maxIdle: 10 } }),
  openProfile: profileOf,
});
