import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';

/** A load balancer that knows no sessions: each request goes to the next replica, whatever connection it came on. */
export interface RoundRobin {
  /** Without a slash at the end; by name, as clients address a gateway on loopback. */
  readonly url: string;
  /** Requests sent to each replica so far, in the order the replicas were given. */
  readonly counts: readonly number[];
  close(): Promise<void>;
}

/** Starts one on a free port; requests pass as they are, `Host` included, and both ways are streamed. */
export async function startRoundRobin(replicas: readonly string[]): Promise<RoundRobin> {
  const agent = new Agent({ keepAlive: true });
  const counts = replicas.map(() => 0);
  let next = 0;

  const forward = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const turn = next++ % replicas.length;
    counts[turn] = (counts[turn] ?? 0) + 1;
    const { hostname, port } = new URL(replicas[turn] ?? '');
    const { method, url: path, rawHeaders: headers } = incoming;
    const sent = request({ agent, hostname, port, method, path, headers, setHost: false });
    sent.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      outgoing.flushHeaders();
      // an answer that breaks off breaks off for the client too
      pipeline(answer, outgoing, () => {});
    });
    sent.on('error', () => outgoing.destroy());
    outgoing.on('close', () => outgoing.writableFinished || sent.destroy());
    incoming.pipe(sent);
  };

  const server = createServer(forward).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    counts,
    async close() {
      agent.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
