import { expect, test } from 'vitest';
import { UsageError } from '../../../adapters/node-compat/cli/arguments.ts';
import { connectCommand } from '../../../adapters/node-compat/cli/connect.ts';
import { NODE } from '../../../adapters/node/runtime.ts';

const URL = 'https://gateway.example/mcp';
const run = (...argv: string[]) => {
  const lines: string[] = [];
  const out = (line: string) => void lines.push(line);
  const io = { out, err: () => undefined, env: {}, cwd: '/', runtime: NODE };
  return connectCommand(argv, io).then((code) => ({ code, lines }));
};

test('a command line that makes no sense is refused before anything is dialled, and no secret repeated', async () => {
  const refused: [argv: string[], why: RegExp][] = [
    [[], /expected the URL/],
    [['localhost:4444'], /begins with http/],
    [['ftp://host'], /begins with http/],
    [['http://user:secret@host'], /without a user name/],
    [[URL, 'http://other'], /met http:\/\/other too/],
    [[URL, '--key', 'key.pem'], /--cert beside --key/],
    [['http://host', '--ca', 'ca.pem'], /https: URL/],
    [['http://host', '--cert', 'cert.pem'], /https: URL/],
    [[URL, '--token', 'a', '--token-file', 'b'], /met both/],
    [[URL, '--tokn', 'a'], /nearest is --token/],
  ];
  for (const [argv, why] of refused) {
    const error = await run(...argv).catch((thrown: unknown) => thrown);
    expect(error, argv.join(' ')).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toMatch(why);
    expect((error as UsageError).message).not.toContain('secret');
  }
});

test('help tells every flag and the variables', async () => {
  const { code, lines } = await run('--help');
  expect(code).toBe(0);
  for (const word of ['--token-file', '--ca', '--cert', '--key', 'POSTERN_TOKEN', 'POSTERN_CLIENT_KEY_PASSWORD'])
    expect(lines.join('\n')).toContain(word);
});
