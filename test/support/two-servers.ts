/** A gateway in front of one address that two servers take turns at: what people do when a server's certificate moves. */
import type { EventFields, EventName } from '../../src/base/events.ts';
import { bare, openCallers, type Callers } from './callers.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { postMessage } from './mcp-client.ts';
import { startMcpUpstream, type McpUpstream } from './mcp-upstream.ts';
import { mintPki, type MintedCa, type MintedCertificate } from './pki.ts';
import { startTcpSwitch } from './tcp-switch.ts';

export interface TwoServers {
  readonly gateway: TestGateway;
  readonly first: McpUpstream;
  readonly second: McpUpstream;
  readonly url: string;
  /** New connections reach this server; open ones stay where they are. */
  leadTo(server: McpUpstream): void;
  /** Changes the gateway `up`, and expects that it was taken. */
  change(fields: Readonly<Record<string, unknown>>): Promise<void>;
  /** A call that waits at its server; its text once it was released, or why it failed. */
  hold(server: McpUpstream): Promise<Held>;
  /** A call of another tool; the text it answers with. */
  call(tool: string, text?: string): Promise<string>;
  /** A modern stream of news about tools. */
  listen(): Promise<ReadStream>;
  eventsOf<Name extends EventName>(name: Name): EventFields[Name][];
  close(): Promise<void>;
}

export interface Held {
  readonly answer: Promise<string>;
}

export interface ReadStream {
  /** What was said until now. */
  readonly said: string;
  /** Resolves once this was said. */
  until(part: string): Promise<void>;
  /** Resolves with all of it once it has ended. */
  readonly whole: Promise<string>;
}

export interface TwoServersOptions {
  readonly first: MintedCertificate;
  readonly second: MintedCertificate;
  /** How the gateway `up` is registered beside its name and URL, when the first server answers. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** PEM anchors of client certificates; absent where none is asked for. */
  readonly clientCa?: string;
  readonly settings?: Readonly<Record<string, string>>;
}

const LISTEN = {
  jsonrpc: '2.0',
  id: 'sub',
  method: 'subscriptions/listen',
  params: {
    notifications: { toolsListChanged: true },
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
};

export async function startTwoServers({ clientCa, settings, ...options }: TwoServersOptions): Promise<TwoServers> {
  const serve = ({ chainPem: cert, keyPem: key }: MintedCertificate) =>
    startMcpUpstream({ tls: { cert, key, ca: clientCa, requireClientCertificate: clientCa !== undefined } });
  const [first, second] = [await serve(options.first), await serve(options.second)];
  const address = await startTcpSwitch(first.port);
  const gateway = await startGateway(settings && { settings });
  const callers: Callers[] = [];
  const token = await gateway.token('ann');
  const url = `https://127.0.0.1:${address.port}/mcp`;
  await gateway.register({ name: 'up', url, ...options.fields });
  const call = (tool: string, text = '') => {
    const caller = openCallers(gateway.url, token, 1);
    callers.push(caller);
    return caller.call(bare('/servers/up/mcp', tool), text);
  };
  return {
    gateway,
    first,
    second,
    url,
    leadTo: (server) => address.leadTo(server.port),
    async change(fields) {
      const response = await gateway.api('PUT', '/v1/gateways/up', fields);
      if (!response.ok) throw new Error(`not changed: ${response.status} ${await response.text()}`);
    },
    async hold(server) {
      const count = server.held + 1;
      const answer = call('hold');
      // failures are looked at later
      answer.catch(() => undefined);
      await Promise.race([server.untilHeld(count), answer]);
      return { answer };
    },
    call,
    async listen() {
      const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': LISTEN.method };
      const stream = readStream(await postMessage(`${gateway.url}/servers/up/mcp`, token, LISTEN, headers));
      await stream.until('acknowledged');
      return stream;
    },
    eventsOf: (name) => gateway.events.filter((event) => event.name === name).map(({ fields }) => fields as never),
    async close() {
      await gateway.close();
      await Promise.all(callers.map((caller) => caller.close()));
      await address.close();
      await Promise.all([first.close(), second.close()]);
    },
  };
}

/** Two servers of two authorities, the second of which takes the place of the first. */
export interface ServersOfTwoCas {
  readonly old: MintedCa;
  readonly renewed: MintedCa;
  readonly servers: TwoServers;
}

/** @param trusts the `ca_certificate` to begin with */
export async function startServersOfTwoCas(
  trusts: (old: MintedCa, renewed: MintedCa) => string,
): Promise<ServersOfTwoCas> {
  const pki = await mintPki();
  const [old, renewed] = [await pki.ca('Old'), await pki.ca('New')];
  const names = { cn: 'server', ip: ['127.0.0.1'] };
  const [first, second] = [await old.issue(names), await renewed.issue(names)];
  const servers = await startTwoServers({ first, second, fields: { ca_certificate: trusts(old, renewed) } });
  return { old, renewed, servers };
}

function readStream(response: Response): ReadStream {
  let said = '';
  let tell = (): void => undefined;
  const read = async (): Promise<string> => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      said += decoder.decode(chunk, { stream: true });
      tell();
    }
    return said;
  };
  const whole = read();
  whole.catch(() => undefined);
  return {
    get said() {
      return said;
    },
    whole,
    until: (part) =>
      new Promise((resolve) => {
        tell = () => void (said.includes(part) && resolve());
        tell();
      }),
  };
}
