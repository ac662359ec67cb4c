import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { parseDerCertificate } from '../../../src/index.ts';
import type { Clock, GatewayError, HandshakeReport, PeerChain, TlsProfile } from '../../../src/index.ts';
import { classifyTls, closedAfterHandshake } from '../channel/classify.ts';
import type { Connect, Connection } from '../channel/connection.ts';
import { type DialDeps, hostOf } from './dial.ts';
import type { explain } from './second-look.ts';
import { rawOf, shownChain } from './shown-chain.ts';

export interface Examination {
  readonly profile: TlsProfile;
  readonly origin: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Opens one connection as a channel would. */
  readonly connect: (onGlimpse: NonNullable<DialDeps['onGlimpse']>) => Connect;
  /** Opens one that shows nothing of ours and believes nothing of the server's. */
  readonly look: Connect;
  /** Given where a refusal does not say what it was for. */
  readonly explain?: typeof explain;
}

/**
 * How long to wait, once our side of the handshake is done, for what the server thinks of our certificate: four times
 * what opening the connection took, within these bounds.
 */
const MIN_VERDICT_MS = 150;
const MAX_VERDICT_MS = 2_000;
/** A session ticket is the server's yes; one that hangs up all the same does so right behind it. */
const AFTER_TICKET_MS = 50;

/** What a socket shows of the other side. */
interface Sight {
  readonly protocol: string | undefined;
  readonly cipher: string | undefined;
  readonly alpn: string | undefined;
  readonly chain: PeerChain;
}

interface Outcome {
  readonly sight: Sight | undefined;
  readonly error: GatewayError | undefined;
}

/**
 * One handshake for people to read, without a byte of application data. Under TLS 1.3 (and under 1.2 with servers that
 * judge in the application) the client is done before the server has judged the client certificate, so the verdict is
 * awaited: an alert or a close is a no, a session ticket or silence a yes. A server that decides later still, when it
 * sees a request, looks accepting here; only a call tells.
 *
 * @throws the signal's reason when it is aborted.
 */
export async function examine(examination: Examination): Promise<HandshakeReport> {
  const { profile, clock, look } = examination;
  const { error, sight } = await handshake(examination);
  if (!error || sight || error.facts.stage !== 'tls') return report(examination, sight, error);
  // The peer was not accepted: look at it again.
  const second = await handshake({ ...examination, connect: () => look });
  const why =
    error.code === 'tls_unknown_ca'
      ? examination.explain?.(error, second.sight?.chain ?? [], profile, clock.nowMs())
      : undefined;
  return report(examination, second.sight, (await why) ?? error);
}

async function handshake({ connect, signal, clock }: Examination): Promise<Outcome> {
  const startedMs = clock.monotonicMs();
  let glimpse: Sight | undefined;
  const onGlimpse = (secure: TLSSocket, shown: X509Certificate): void => {
    glimpse = look(secure, rawOf(shownChain(shown)));
  };
  const { error, connection } = await untilAborted(connect(onGlimpse), signal);
  if (!connection) return { error, sight: glimpse };
  const onAbort = (): void => void connection.socket.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const secure = connection.socket as TLSSocket;
    const sight = look(secure, connection.peer);
    const spentMs = clock.monotonicMs() - startedMs;
    const waitMs = Math.min(Math.max(spentMs * 4, MIN_VERDICT_MS), MAX_VERDICT_MS);
    return { error: await verdict(connection, waitMs, clock), sight };
  } finally {
    signal.removeEventListener('abort', onAbort);
    signal.throwIfAborted();
  }
}

interface Dialled {
  readonly error: GatewayError | undefined;
  readonly connection: Connection | undefined;
}

function untilAborted(connect: Connect, signal: AbortSignal): Promise<Dialled> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const giveUp = connect((error, connection) => {
      signal.removeEventListener('abort', onAbort);
      resolve({ error, connection });
    });
    const onAbort = (): void => {
      giveUp();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** What the server made of our side of the handshake; undefined is a yes. */
function verdict(connection: Connection, waitMs: number, clock: Clock): Promise<GatewayError | undefined> {
  const { socket, facts } = connection;
  return new Promise((resolve) => {
    const judge = (error: GatewayError | undefined): void => {
      cancel();
      socket.destroy();
      resolve(error);
    };
    let cancel = clock.after(waitMs, () => judge(undefined));
    socket.once('session', () => {
      cancel();
      cancel = clock.after(AFTER_TICKET_MS, () => judge(undefined));
    });
    socket.once('close', () =>
      judge(connection.alert ? classifyTls(connection.alert, facts) : closedAfterHandshake(facts)),
    );
    socket.once('end', () => socket.destroy());
    socket.resume();
  });
}

function look(secure: TLSSocket, chain: PeerChain): Sight {
  const cipher = secure.getCipher() as { standardName?: string } | null;
  return {
    protocol: secure.getProtocol() ?? undefined,
    cipher: cipher?.standardName,
    alpn: secure.alpnProtocol || undefined,
    chain,
  };
}

async function report(
  { profile, origin }: Examination,
  sight: Sight | undefined,
  error: GatewayError | undefined,
): Promise<HandshakeReport> {
  const chain = await Promise.all((sight?.chain ?? []).map(parseDerCertificate));
  return {
    ok: error === undefined,
    origin,
    protocol: sight?.protocol,
    cipher: sight?.cipher,
    alpn: sight?.alpn,
    serverName: profile.serverName ?? hostOf(new URL(origin)),
    peerChain: chain.map(({ facts }) => facts),
    presented: profile.identity?.chain[0]?.facts,
    error,
  };
}
