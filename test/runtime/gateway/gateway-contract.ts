/** What a gateway does on each runtime that runs the command line, tried on processes of it. */
import { describe } from 'vitest';
import type { Subject } from '../../support/runtime-gateway.ts';
import { callsContract } from './calls-contract.ts';
import { processContract } from './process-contract.ts';
import { programsContract } from './programs-contract.ts';
import { refusalsContract } from './refusals-contract.ts';
import { rotationContract } from './rotation-contract.ts';

/** All of it. @param allowed the subject with what it takes to start programs, where that is another permission */
export function gatewayContract(subject: Subject, allowed: Subject = subject): void {
  describe(`calls through ${subject.name}`, () => callsContract(subject));
  describe(`registrations at ${subject.name}`, () => refusalsContract(subject));
  describe(`a process of ${subject.name}`, () => processContract(subject));
  describe(`programs behind ${subject.name}`, () => programsContract(subject, allowed));
  describe(`rotation on ${subject.name}`, () => rotationContract(subject));
}
