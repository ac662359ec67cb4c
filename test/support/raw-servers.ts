import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP server on loopback with its open sockets, for peers that do not behave. */
export interface RawServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function startRawServer(onConnection: (socket: Socket) => void): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Alert descriptions of RFC 8446 section 6. */
export const ALERT = {
  badCertificate: 42,
  certificateRevoked: 44,
  certificateExpired: 45,
  unknownCa: 48,
} as const;

/**
 * Stands before a TLS 1.2 server and, when the client has shown its certificate, answers as servers that judge it do:
 * with a fatal alert. (Node's own server hangs up without one.) Under TLS 1.2 that alert still is plaintext.
 */
export function startAlertingServer(upstreamPort: number, description: number): Promise<RawServer> {
  return startRawServer((client) => {
    const server = connect(upstreamPort, '127.0.0.1').on('error', () => {});
    let flights = 0;
    client.on('data', (flight) => {
      flights += 1;
      if (flights === 1) server.write(flight);
      else client.end(Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, description]));
    });
    client.on('close', () => server.destroy());
    server.on('data', (flight) => client.write(flight));
  });
}
