import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import type { Platform } from '../../src/platform.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectClient, postMessage, textOf } from '../support/mcp-client.ts';
import { isRunning, NODE_ALLOWED, scriptFields, stdioFields } from '../support/stdio-upstream.ts';
import { refusalOf } from '../support/refused-registration.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const closing = closeAfterEach();

/** Time limits come a hundred times sooner; the wall clock stays as it is. */
const hurried = (platform: Platform): Platform => ({
  ...platform,
  clock: { ...platform.clock, after: (delayMs, task) => platform.clock.after(delayMs / 100, task) },
});

async function start(
  settings: Readonly<Record<string, string>> = NODE_ALLOWED,
  wrapPlatform: (platform: Platform) => Platform = (platform) => platform,
): Promise<TestGateway> {
  const gateway = await startGateway({ settings, wrapPlatform });
  closing.push(() => gateway.close());
  return gateway;
}

async function callOnce(gateway: TestGateway, name: string, args: object = {}): Promise<string> {
  const params = { name, arguments: args };
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
  return (await postMessage(`${gateway.url}/servers/local/mcp`, await gateway.token('ann'), message)).text();
}

const healthOf = async (gateway: TestGateway) =>
  ((await (await gateway.api('GET', '/v1/gateways/local')).json()) as { health: Record<string, unknown> }).health;

test('a program that ends at once is refused with what it said, but for its secrets', async () => {
  const gateway = await start();
  const script = 'console.error(`bad token ${process.env.TOKEN}\\u001b[31m in\\n${process.env.PEM}`); process.exit(7)';
  const env = { TOKEN: 'canary-1234', PEM: 'canary-line-1\ncanary-line-2' };
  const refusal = await refusalOf(gateway, { ...scriptFields(script), env });
  expect(refusal).toMatchObject({ status: 502, code: 'process_exited', message: 'the program ended with exit code 7' });
  expect(refusal.hint).toBe('the program last wrote: bad token ***** in\n*****');
});

test('a program that says nothing is given up, with what it wrote elsewhere', async () => {
  const gateway = await start(NODE_ALLOWED, hurried);
  const script = 'console.log("Listening on 8080"); console.error("ready"); setInterval(() => {}, 1e6)';
  const refusal = await refusalOf(gateway, scriptFields(script));
  expect(refusal).toMatchObject({ status: 502, code: 'upstream_timeout' });
  expect(refusal.hint).toBe(
    '1 lines of its standard output were no messages; it must log to standard error only; the program last wrote: ready',
  );
  await until(() => gateway.countOf('process.ended') === gateway.countOf('process.started'));
});

test('lines that are no messages are passed over, counted and reported', async () => {
  const gateway = await start();
  await gateway.register({ name: 'local', ...stdioFields('legacy') });
  expect(await callOnce(gateway, 'noise')).toContain('quiet again');
  expect(await callOnce(gateway, 'echo', { text: 'still there' })).toContain('still there');
  expect(gateway.countOf('process.noisy')).toBe(1);
  await gateway.close();
  const noise = gateway.events.flatMap(({ name, fields }) => (name === 'process.ended' ? [fields] : []));
  expect(noise).toContainEqual(expect.objectContaining({ noise: 5, unexpected: false }));
});

test.each(['legacy', 'modern'] as const)(
  'a crash fails the %s calls in flight at once, and the next is served',
  async (era) => {
    const gateway = await start();
    await gateway.register({ name: 'local', ...stdioFields(era), env: { API_TOKEN: 'canary-5678' } });
    const caller = await connectClient(`${gateway.url}/servers/local/mcp`, await gateway.token('ann'), era);
    closing.push(() => caller.close());
    const held = caller.callTool({ name: 'hold', arguments: {} });
    const held2 = held.then(
      () => 'answered',
      (error: Error) => error.message,
    );
    await until(async () => textOf(await caller.callTool({ name: 'held', arguments: {} })) === '1');
    await expect(caller.callTool({ name: 'crash', arguments: {} })).rejects.toThrow(
      'the program ended with exit code 3',
    );
    expect(await held2).toContain('the program ended with exit code 3');
    const { reason } = (await healthOf(gateway)) as { reason: { code: string; hint: string } };
    expect(reason.code).toBe('process_exited');
    expect(reason.hint).toContain('about to fail');
    expect(reason.hint).toContain('"API_TOKEN":"*****"');

    const echoed = await caller.callTool({ name: 'echo', arguments: { text: 'again' } });
    expect(textOf(echoed)).toBe('again');
    expect(await healthOf(gateway)).toMatchObject({ status: 'healthy' });
  },
);

test.each(['legacy', 'modern'] as const)(
  'a %s program that fails at every start is spared, and tried later',
  async (era) => {
    const folder = await makeTempFolder();
    closing.push(folder.remove);
    const gateway = await start();
    const [script, ...args] = stdioFields(era).args;
    const entry = join(folder.path, 'start.mjs');
    await writeFile(entry, `process.argv.splice(1, 1); await import(${JSON.stringify(script)});`);
    await gateway.register({ name: 'local', protocol_era: era, ...stdioFields(era), args: [entry, '', ...args] });
    const caller = await connectClient(`${gateway.url}/servers/local/mcp`, await gateway.token('ann'), era);
    closing.push(() => caller.close());
    const call = async (name: string, args = {}) => textOf(await caller.callTool({ name, arguments: args }));
    await writeFile(entry, 'console.error("no database"); process.exit(1)');
    await expect(call('crash')).rejects.toThrow('exit code 3');
    await expect(call('echo', { text: 'x' })).rejects.toThrow('exit code 1');
    const started = gateway.countOf('process.started');
    await expect(call('echo', { text: 'x' })).rejects.toThrow('the program could not be started');
    expect(gateway.countOf('process.started')).toBe(started);
    await writeFile(entry, `process.argv.splice(1, 1); await import(${JSON.stringify(script)});`);
    await until(() =>
      call('echo', { text: 'back' }).then(
        (text) => text === 'back',
        () => false,
      ),
    );
  },
);

test('an answer of 17 MB is refused by name, and its program starts anew', async () => {
  const gateway = await start();
  await gateway.register({ name: 'local', ...stdioFields('legacy') });
  expect(await callOnce(gateway, 'big', { bytes: 17 * 1024 * 1024 })).toContain('upstream_too_large');
  expect(await callOnce(gateway, 'big', { bytes: 15 * 1024 * 1024 })).toContain('"id":1');
});

test('a program that reads nothing more fills no memory', async () => {
  const gateway = await start();
  await gateway.register({ name: 'local', ...stdioFields('legacy') });
  expect(await callOnce(gateway, 'deafen')).toContain('deaf');
  const text = 'x'.repeat(12 * 1024 * 1024);
  const calls = [1, 2, 3].map(() => callOnce(gateway, 'echo', { text }).catch(() => 'cut'));
  expect(await Promise.race(calls)).toContain('does not read');
  await gateway.close();
  await Promise.all(calls);
});

test('nothing of a program that ignores every request to end is left', async () => {
  const gateway = await start(NODE_ALLOWED, hurried);
  const stubborn = `process.on('SIGTERM', () => {}); process.stdin.resume(); setInterval(() => {}, 1e6);`;
  const script = `
    const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['--eval', ${JSON.stringify(stubborn)}], { stdio: ['ignore', 'inherit', 'ignore'] });
    ${stubborn}
    const answer = (id, result) => console.log(JSON.stringify({ jsonrpc: '2.0', id, result }));
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const { id, method } = JSON.parse(line);
      if (method === 'initialize') answer(id, { protocolVersion: '2025-11-25', capabilities: { tools: {} } });
      else if (method === 'tools/list') answer(id, { tools: [{ name: String(child.pid), inputSchema: { type: 'object' } }] });
      else if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: 'no' } }));
    });`;
  await gateway.register({ name: 'local', protocol_era: 'legacy', ...scriptFields(script) });
  const started = gateway.events.flatMap(({ name, fields }) => (name === 'process.started' ? [fields] : []));
  const pids = started.map((fields) => (fields as { pid: number }).pid);
  const [tool] = gateway.gateway.registry.snapshot().bySlug('local')?.upstream.facts?.listing.tools ?? [];
  pids.push(Number(tool?.['name']));
  expect(pids.filter(isRunning)).toEqual(pids);
  await gateway.close();
  await until(() => !pids.some(isRunning));
});

test('the values of its environment are in no answer, no event and not in the store', async () => {
  const folder = await makeTempFolder();
  closing.push(folder.remove);
  const secret = 'canary-value-4711';
  const gateway = await start({ ...NODE_ALLOWED, POSTERN_STORAGE: `sqlite:${folder.path}/postern.db` });
  const seen: string[] = [];
  const api = async (method: string, path: string, body?: object) => {
    const response = await gateway.api(method, path, body);
    seen.push(await response.text());
    return response.status;
  };
  expect(
    await api('POST', '/v1/gateways', { name: 'local', ...stdioFields('legacy'), env: { A: secret, B: 'two' } }),
  ).toBe(200);
  expect(JSON.parse(seen[0] ?? '')).toMatchObject({ env: { A: '*****', B: '*****' } });
  expect(await api('PUT', '/v1/gateways/local', { env: { A: '*****', C: 'three' } })).toBe(200);
  expect(await api('PUT', '/v1/gateways/local', { env: { D: '*****' } })).toBe(400);
  expect(await api('PUT', '/v1/gateways/local', { env: { NODE_OPTIONS: secret } })).toBe(422);
  expect(await callOnce(gateway, 'process')).toContain(secret);
  seen.push(await callOnce(gateway, 'crash'));
  for (const path of ['', '/local']) expect(await api('GET', `/v1/gateways${path}`)).toBe(200);
  expect(await api('POST', '/v1/gateways/local/check')).toBe(200);
  expect(
    await api('PUT', '/v1/gateways/local', { command: process.execPath, args: ['--eval', 'process.exit(1)'] }),
  ).toBe(502);
  const places = { answers: seen.join('\n'), logs: JSON.stringify(gateway.events), store: await folder.bytes() };
  for (const [place, text] of Object.entries(places)) expect([place, text.includes(secret)]).toEqual([place, false]);
  const facts = JSON.parse(
    textOf((JSON.parse(await callOnce(gateway, 'process')) as { result: unknown }).result) ?? '',
  );
  expect((facts as { env: object }).env).toMatchObject({ A: secret, C: 'three' });
  expect((facts as { env: object }).env).not.toHaveProperty('B');
});
