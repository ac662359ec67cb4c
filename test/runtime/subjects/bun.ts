import { BUN } from '../../../adapters/bun/runtime.ts';
import type { Subject } from './subject.ts';

export const RUNTIME = BUN;

export const SUBJECT: Subject = {
  // Bun 1.4.5 tells of a session only where the connection goes on after it
  resumes: 'sometimes',
  command: (file) => [process.execPath, file],
};
