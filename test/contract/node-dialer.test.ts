import { systemClock } from '../../adapters/node-compat/clock.ts';
import { createDialer } from '../../adapters/node-compat/dialer/dialer.ts';
import { NODE } from '../../adapters/node/runtime.ts';
import { profileOf } from '../support/open-test-profile.ts';
import { dialerContract, type DialerSubject } from './dialer-contract.ts';
import { dialerIdentityContract } from './dialer-identity-contract.ts';
import { dialerWithdrawalContract } from './dialer-withdrawal-contract.ts';

const node: DialerSubject = {
  createDialer: (options) => createDialer(NODE, { ...options, clock: systemClock, contextCache: { maxIdle: 10 } }),
  openProfile: profileOf,
};

dialerContract('node', node);
dialerIdentityContract('node', node);
dialerWithdrawalContract('node', node);
