import { connect } from 'node:net';
import { startRawServer } from './raw-servers.ts';

/** One address behind which now one server stands and now another, as with a failover. */
export interface TcpSwitch {
  readonly port: number;
  /** New connections go to this port from here on; open ones stay where they are. */
  leadTo(port: number): void;
  close(): Promise<void>;
}

export async function startTcpSwitch(first: number): Promise<TcpSwitch> {
  let target = first;
  const server = await startRawServer((client) => {
    const behind = connect(target, '127.0.0.1');
    behind.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('close', () => behind.destroy());
    client.pipe(behind).pipe(client);
  });
  return {
    port: server.port,
    leadTo: (port) => void (target = port),
    close: () => server.close(),
  };
}
