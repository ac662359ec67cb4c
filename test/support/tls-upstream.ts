import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createSecureServer, type Http2SecureServer, type SecureServerOptions } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Common name of the client certificate the request came with. */
  readonly client: string | undefined;
}

/** An HTTP server on loopback that remembers what it was sent. */
export interface TestUpstream {
  readonly port: number;
  /** `https://localhost:port`, or with another host. */
  origin(host?: string): string;
  readonly requests: SeenRequest[];
  /** TCP connections accepted so far. */
  readonly connections: number;
  /** Connections open now. */
  readonly openConnections: number;
  /** Common name of the client certificate of each TLS handshake that was completed. */
  readonly handshakes: (string | undefined)[];
  /** Serves new connections with other TLS material; open ones, and sessions under the same `ticketKeys`, stay. */
  replaceTls(tls: SecureServerOptions): void;
  /** Closes every connection now; the server goes on listening. */
  dropConnections(): void;
  close(): Promise<void>;
}

export interface UpstreamOptions {
  /** Absent for plain HTTP. */
  readonly tls?: SecureServerOptions;
  /** Answers after the body was read; `ok` by default. */
  readonly handle?: RequestListener;
}

export async function startUpstream({ tls, handle }: UpstreamOptions = {}): Promise<TestUpstream> {
  const requests: SeenRequest[] = [];
  const handshakes: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      requests.push({
        method,
        path,
        headers,
        body: Buffer.concat(chunks).toString(),
        client: clientOf(request.socket),
      });
      if (handle) handle(request, response);
      else response.end('ok');
    });
  };
  const secure = tls && createTlsServer(tls, listener);
  const server: Server = secure ?? createHttpServer(listener);
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('secureConnection', (socket: TLSSocket) => handshakes.push(clientOf(socket)));
  server.on('tlsClientError', () => {});
  const dropConnections = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: (host = 'localhost') => `${tls ? 'https' : 'http'}://${host}:${port}`,
    requests,
    handshakes,
    get connections() {
      return connections;
    },
    get openConnections() {
      return sockets.size;
    },
    replaceTls: (replacement) => secure?.setSecureContext(replacement),
    dropConnections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        dropConnections();
      }),
  };
}

/** Speaks HTTP/1.1 alone, by the server that does so under TLS on every runtime (Bun's node:https shows no peer). */
function createTlsServer(tls: SecureServerOptions, listener: RequestListener): Http2SecureServer {
  const answer = listener as unknown as Parameters<Http2SecureServer['on']>[1];
  return createSecureServer({ ...tls, allowHTTP1: true, ALPNProtocols: ['http/1.1'] }).on('request', answer);
}

function clientOf(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const subject = socket.getPeerCertificate().subject as { CN?: string } | undefined;
  return subject?.CN;
}
