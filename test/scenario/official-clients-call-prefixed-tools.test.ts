/** What people connect with today: the SDKs of both generations and the Inspector, each in every era it has. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from '@modelcontextprotocol/client';
import type { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { startEverything } from '../support/everything/everything.ts';
import { SECOND_TEXT, startSecond } from '../support/everything/second.ts';
import type { FetchServer } from '../support/everything/serve-fetch.ts';
import { startGateway } from '../support/gateway.ts';
import type { TestGateway } from '../support/gateway.ts';
import { runClient } from '../support/installed-clients.ts';
import { connectClient, connectClientV1, textOf } from '../support/mcp-client.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { TempFolder } from '../support/temp-folder.ts';

const TOOL = 'second_test_simple_text';

let servers: readonly FetchServer[];
let gateway: TestGateway;
let token: string;
let home: TempFolder;
beforeAll(async () => {
  const [everything, second] = await Promise.all([startEverything(), startSecond()]);
  servers = [everything, second];
  [gateway, home] = await Promise.all([startGateway(), makeTempFolder()]);
  await gateway.register({ name: 'everything', url: everything.url, prefix: '' });
  await gateway.register({ name: 'second', url: second.url });
  token = await gateway.token('ann');
});
afterAll(() => Promise.all([gateway.close(), home.remove(), ...servers.map((server) => server.close())]));

async function listAndCall(client: Client | ClientV1) {
  try {
    const { tools } = await client.listTools();
    return { tools: tools.map(({ name }) => name), text: textOf(await client.callTool({ name: TOOL, arguments: {} })) };
  } finally {
    await client.close();
  }
}

async function inspect(era: string, ...args: readonly string[]): Promise<unknown> {
  const connection = ['--cli', `${gateway.url}/mcp`, '--header', `Authorization: Bearer ${token}`];
  // the Inspector keeps a catalogue in the home folder
  const run = await runClient('inspector', [...connection, '--protocol-era', era, ...args], { HOME: home.path });
  expect(run.code, run.stderr).toBe(0);
  return JSON.parse(run.stdout);
}

const EXPECTED = { tools: expect.arrayContaining(['test_simple_text', TOOL, 'second_echo']), text: SECOND_TEXT };

test.for(['legacy', 'auto', 'modern'] as const)('the client of SDK v2 in %s mode', async (era) => {
  expect(await listAndCall(await connectClient(`${gateway.url}/mcp`, token, era))).toEqual(EXPECTED);
});

test('the client of SDK v1', async () => {
  expect(await listAndCall(await connectClientV1(`${gateway.url}/mcp`, token))).toEqual(EXPECTED);
});

test.for(['legacy', 'auto', 'modern'] as const)("the Inspector's command line in %s mode", async (era) => {
  const [{ tools }, result] = (await Promise.all([
    inspect(era, '--method', 'tools/list'),
    inspect(era, '--method', 'tools/call', '--tool-name', TOOL),
  ])) as [{ tools: { name: string }[] }, unknown];
  expect({ tools: tools.map(({ name }) => name), text: textOf(result) }).toEqual(EXPECTED);
});
