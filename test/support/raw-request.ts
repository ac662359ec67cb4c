import { connect } from 'node:net';

export interface RawOptions {
  /** The loopback address to come from. */
  readonly from?: string;
  /** Ends the exchange early, once it was received. */
  readonly until?: RegExp;
}

/** Everything that comes back for bytes written by hand, until the other side closes. */
export function rawExchange(
  url: string,
  bytes: string,
  { from = '127.0.0.1', until }: RawOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), localAddress: from });
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      if (until?.test(text)) socket.destroy();
    });
    socket.on('error', reject).on('close', () => resolve(text));
    socket.write(bytes, 'latin1');
  });
}
