import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What is answered: bytes or text with 200, a status without a body, undefined for nothing at all. */
export type Document = Uint8Array | string | number | undefined;

/** An HTTP server on loopback for documents that change, and that can be gone. */
export interface DocumentServer {
  readonly url: string;
  /** Paths asked for, in order. */
  readonly asked: readonly string[];
  /** What a path is answered with from now on; a longer path that begins with it gets the same. */
  put(path: string, document: Document | ((request: IncomingMessage) => Promise<Document>)): void;
  /** Refuses connections from now on, until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function startDocumentServer(): Promise<DocumentServer> {
  const documents = new Map<string, (request: IncomingMessage) => Promise<Document>>();
  const sockets = new Set<Socket>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { url: path = '' } = request;
    asked.push(path);
    const [, answer] = [...documents].find(([begin]) => path.startsWith(begin)) ?? [];
    void (answer?.(request) ?? Promise.resolve(404 as Document)).then((document) => {
      if (document === undefined) return;
      if (typeof document === 'number') response.writeHead(document).end();
      else response.end(document);
    });
  });
  server.on('connection', (socket) => sockets.add(socket.on('close', () => sockets.delete(socket))));
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const stop = () =>
    new Promise<void>((resolve) => {
      if (!server.listening) return resolve();
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    put: (path, document) =>
      void documents.set(path, typeof document === 'function' ? document : () => Promise.resolve(document)),
    stop,
    start: () => listen(port),
    close: stop,
  };
}
