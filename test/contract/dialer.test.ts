import { systemClock } from '../../adapters/node-compat/clock.ts';
import { createDialer } from '../../adapters/node-compat/dialer/dialer.ts';
import { RUNTIME } from '#runtime';
import { profileOf } from '../support/open-test-profile.ts';
import { dialerContract, type DialerSubject } from './dialer-contract.ts';
import { dialerIdentityContract } from './dialer-identity-contract.ts';
import { dialerWithdrawalContract } from './dialer-withdrawal-contract.ts';

const subject: DialerSubject = {
  createDialer: (options) => createDialer(RUNTIME, { ...options, clock: systemClock, contextCache: { maxIdle: 10 } }),
  openProfile: profileOf,
};

dialerContract(RUNTIME.name, subject);
dialerIdentityContract(RUNTIME.name, subject);
dialerWithdrawalContract(RUNTIME.name, subject);
