import { NODE } from '../../../adapters/node/runtime.ts';
import type { Subject } from './subject.ts';

export const RUNTIME = NODE;

export const SUBJECT: Subject = {
  resumes: 'always',
  command: (file) => [process.execPath, file],
};
