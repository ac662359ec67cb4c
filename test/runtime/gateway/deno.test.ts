import { test } from 'vitest';
import { SUBJECTS } from '../../support/runtime-gateway.ts';
import { gatewayContract } from './gateway-contract.ts';
import { rotatesTogether } from './rotation-contract.ts';

const { deno } = SUBJECTS;
const [program, run, ...main] = deno.command;
const permitted = (flag: string) => ({ ...deno, command: [program, run, flag, ...main] });

gatewayContract(deno, permitted(`--allow-run=${process.execPath}`));

test('a PUT at one process reaches another over a file of Deno KV, and no call fails', () => {
  const subject = permitted('--unstable-kv');
  return rotatesTogether([subject, subject], 'deno-kv:data/shared.kv');
});
