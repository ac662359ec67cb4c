import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { demoCommand } from '../../adapters/node-compat/cli/demo.ts';
import { NODE } from '../../adapters/node/runtime.ts';

const leftovers = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('postern-demo-'));

test('the demo ends well, says what it saw and leaves nothing behind', async () => {
  const before = leftovers();
  const lines: string[] = [];
  const errors: string[] = [];
  const [out, err] = [lines.push.bind(lines), errors.push.bind(errors)];
  const io = { out, err, env: process.env, cwd: process.cwd(), runtime: NODE };

  const code = await demoCommand([], io);

  const report = lines.join('\n');
  expect({ code, errors }, report).toEqual({ code: 0, errors: [] });
  expect(report).toContain('tls_client_certificate_required');
  expect(report).toContain('the certificate is valid for localhost, not 127.0.0.1');
  expect(report).toContain('2 + 3 = 5');
  expect(report).toContain('200 calls: 200 with gateway-first');
  expect(report).toContain('200 calls: 200 with gateway-second');
  expect(report).toMatch(/failed +0$/m);
  expect(leftovers()).toEqual(before);
});

test.each([
  [['--port', '1'], 'expected --server DIR beside --port'],
  [['--server', '.', '--port', '65536'], 'expected --port from 0 to 65535, met 65536'],
  [['here'], 'expected flags only, met here'],
])('%j makes no sense', async (argv, why) => {
  const io = { out: () => undefined, err: () => undefined, env: {}, cwd: '/', runtime: NODE };
  await expect(demoCommand(argv, io)).rejects.toThrow(why);
});
