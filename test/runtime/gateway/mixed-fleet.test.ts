import { test } from 'vitest';
import { SUBJECTS } from '../../support/runtime-gateway.ts';
import { rotatesTogether } from './rotation-contract.ts';

const { node, deno, bun } = SUBJECTS;

test.each([
  ['Node', [node, deno, bun]],
  ['Deno', [deno, bun, node]],
  ['Bun', [bun, node, deno]],
])('a fleet of Node, Deno and Bun over Redis rotates together when %s is told to', (_, subjects) =>
  rotatesTogether(subjects, 'redis'),
);
