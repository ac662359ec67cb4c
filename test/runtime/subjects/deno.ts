import { DENO } from '../../../adapters/deno/runtime.ts';
import type { Subject } from './subject.ts';

export const RUNTIME = DENO;

export const SUBJECT: Subject = {
  // Deno 2.9.6 offers no session
  resumes: 'never',
  command: (file) => [process.execPath, 'run', '--allow-all', file],
};
