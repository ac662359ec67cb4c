import { systemClock } from '../../adapters/node-compat/clock.ts';
import { createDialer } from '../../adapters/node-compat/dialer/dialer.ts';
import { RUNTIME, SUBJECT } from '#runtime';
import { profileOf } from '../support/open-test-profile.ts';
import { dialerContract, type DialerSubject } from './dialer-contract.ts';
import { dialerCapabilityContract } from './dialer-capability-contract.ts';
import { dialerErrorsContract } from './dialer-errors-contract.ts';
import { dialerIdentityContract } from './dialer-identity-contract.ts';
import { dialerWithdrawalContract } from './dialer-withdrawal-contract.ts';

const subject: DialerSubject = {
  createDialer: (options) => createDialer(RUNTIME, { ...options, clock: systemClock, contextCache: { maxIdle: 10 } }),
  openProfile: profileOf,
  resumes: SUBJECT.resumes,
};

dialerContract(RUNTIME.name, subject);
dialerCapabilityContract(RUNTIME.name, subject);
dialerErrorsContract(RUNTIME.name, subject);
dialerIdentityContract(RUNTIME.name, subject);
dialerWithdrawalContract(RUNTIME.name, subject);
