import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/**
 * Stands in front of a server and can be shut, as a network is when it parts. Shut by `refuse`, every connection breaks
 * and no new one is made; shut by `swallow`, connections stand, new ones too, and nothing passes in either direction,
 * not even their end.
 */
export interface TcpGate {
  readonly port: number;
  /** How many connections stand between the two sides. */
  readonly connections: number;
  /** The URL of the server, led through the gate. */
  through(url: string): string;
  shut(how: 'refuse' | 'swallow'): Promise<void>;
  /** Lets everything pass again; what was swallowed arrives now. */
  open(): Promise<void>;
  close(): Promise<void>;
}

interface Passage {
  readonly client: Socket;
  /** Undefined for one made while everything is swallowed. */
  server: Socket | undefined;
}

/** Starts a gate on loopback, open, in front of a port of loopback. */
export async function startTcpGate(targetPort: number): Promise<TcpGate> {
  const passages = new Set<Passage>();
  let swallows = false;
  const listener = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (client) => {
    const passage: Passage = { client, server: undefined };
    passages.add(passage);
    end(client, passage);
    if (!swallows) flow(passage);
  });

  function end(socket: Socket, passage: Passage): void {
    // whatever breaks one side breaks the other
    socket.on('error', () => {});
    socket.on('close', () => {
      passages.delete(passage);
      passage.client.destroy();
      passage.server?.destroy();
    });
  }

  function flow(passage: Passage): void {
    if (!passage.server) {
      passage.server = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
      end(passage.server, passage);
    }
    passage.client.pipe(passage.server).pipe(passage.client);
  }

  function dam({ client, server }: Passage): void {
    for (const socket of [client, server]) socket?.unpipe().pause();
  }

  async function listen(port: number): Promise<void> {
    listener.listen(port, '127.0.0.1');
    await once(listener, 'listening');
  }

  async function refuse(): Promise<void> {
    const closed = once(listener, 'close');
    listener.close();
    for (const { client, server } of passages) {
      client.resetAndDestroy();
      server?.destroy();
    }
    await closed;
  }

  await listen(0);
  const { port } = listener.address() as AddressInfo;
  return {
    port,
    get connections() {
      return passages.size;
    },
    through(url) {
      const led = new URL(url);
      led.hostname = '127.0.0.1';
      led.port = `${port}`;
      return led.href;
    },
    async shut(how) {
      if (how === 'refuse') return refuse();
      swallows = true;
      for (const passage of passages) dam(passage);
    },
    async open() {
      if (!listener.listening) await listen(port);
      if (!swallows) return;
      swallows = false;
      for (const passage of passages) flow(passage);
    },
    close: refuse,
  };
}
