import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { completedChain, withoutAnchors } from '../dialer/shown-chain.ts';
import type { ShownChain } from '../dialer/shown-chain.ts';
import type { Certificate } from '../../../src/index.ts';

const CHAIN = Symbol('what the caller showed');

interface Looked {
  [CHAIN]?: ShownChain;
}

/**
 * Keeps what a caller showed with its socket, for Node 22 tells it one time only; through HTTP/2, which hands out its
 * sockets behind proxies, the same is found there. Node 24 tells the leaf alone.
 *
 * @param anchors left out of it: some runtimes add them to what was sent
 */
export function lookAt(socket: TLSSocket, anchors: readonly Certificate[]): ShownChain {
  const shown = completedChain(socket).map((der) => new X509Certificate(der));
  return ((socket as Looked)[CHAIN] = withoutAnchors(shown, anchors));
}

/** What was kept; nothing of a socket nobody looked at. */
export const chainOn = (socket: object): ShownChain => (socket as Looked)[CHAIN] ?? [];
