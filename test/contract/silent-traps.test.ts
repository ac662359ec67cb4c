import { join } from 'node:path';
import { RUNTIME, SUBJECT } from '#runtime';
import { systemClock } from '../../adapters/node-compat/clock.ts';
import { createDialer } from '../../adapters/node-compat/dialer/dialer.ts';
import { profileOf } from '../support/open-test-profile.ts';
import { endlessBodyContract } from './endless-body-contract.ts';
import { dialBy, silentTrapsContract, type TrapSubject } from './silent-traps-contract.ts';

const program = join(import.meta.dirname, '../support/dial-program.ts');

const subject: TrapSubject = {
  createDialer: (options) => createDialer(RUNTIME, { ...options, clock: systemClock, contextCache: { maxIdle: 10 } }),
  openProfile: profileOf,
  resumes: SUBJECT.resumes,
  dialElsewhere: dialBy(SUBJECT.command(program), RUNTIME.name.toLowerCase()),
};

silentTrapsContract(RUNTIME.name, subject);
endlessBodyContract(RUNTIME.name, subject);
