import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import { withDeadline } from '../deadline.ts';
import type { UpstreamFacts } from '../facts.ts';
import type { Send } from '../own-request.ts';
import { discover, initialize, NOT_ASKED, verdictsOf, type NotSpoken, type OpenedSession } from '../probe-eras.ts';
import type { ProtocolEra } from '../upstream-config.ts';

export interface StdioProbe {
  readonly era: ProtocolEra;
  readonly earlier: UpstreamFacts | undefined;
  /** ISO 8601. */
  readonly now: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What a program was found to speak. */
export type SpokenOverStdio = Pick<UpstreamFacts, 'transport' | 'modern' | 'legacy' | 'probedAt'> & {
  readonly session: OpenedSession | undefined;
};

/** How long a program may take to answer what older ones do not know; some of them say nothing at all. */
const DISCOVER_MS = 5_000;

/**
 * Learns which eras a program speaks. initialize goes first, in a process of its own: what nearly every program knows
 * tells how long it takes to start, and why it does not.
 *
 * @throws GatewayError command_not_found and the other codes of starting it, process_exited, upstream_timeout,
 * upstream_protocol
 */
export async function speakStdio(send: Send, { era, earlier, now, ...ends }: StdioProbe): Promise<SpokenOverStdio> {
  const legacy = era === 'modern' ? NOT_ASKED : await initialize(send, ends.signal);
  const modern = era === 'legacy' ? NOT_ASKED : await discoverSoon(send, era === 'auto', ends);
  if ('status' in modern && 'status' in legacy) throw noMcp(era === 'modern' ? modern : legacy, era);
  const modernFacts = 'status' in modern ? (modern.undecided ? earlier?.modern : undefined) : modern;
  return {
    transport: 'stdio',
    ...(modernFacts && { modern: modernFacts }),
    ...(!('status' in legacy) && { legacy: legacy.facts }),
    probedAt: verdictsOf({ modern, legacy }, now, earlier),
    session: 'status' in legacy ? undefined : legacy,
  };
}

/** @param maySilent whether no answer is one: a program of the legacy era may say nothing, or end over the question */
function discoverSoon(send: Send, maySilent: boolean, { clock, signal }: Pick<StdioProbe, 'clock' | 'signal'>) {
  if (!maySilent) return discover(send, signal);
  const asked = withDeadline(clock, DISCOVER_MS, signal, (ends) => discover(send, ends));
  return asked.catch((error: unknown): NotSpoken => {
    const isSilence =
      error instanceof GatewayError && (error.code === 'upstream_timeout' || error.code === 'process_exited');
    if (!isSilence) throw error;
    return { status: 404, undecided: false, rpcCode: undefined };
  });
}

function noMcp({ rpcCode, status }: NotSpoken, era: ProtocolEra): GatewayError {
  const asked = era === 'modern' ? 'server/discover' : 'initialize';
  const met = rpcCode === undefined ? `status ${status}` : `error ${rpcCode}`;
  return new GatewayError('upstream_protocol', `the program answered ${asked} with ${met}`, {
    hint: 'does this command start an MCP server? some need an argument for that; see protocol_era too, if it is set',
  });
}
