/** Many sessions at once, of clients of all kinds, each doing in its own order all that needs state on the way. */
import { vi } from 'vitest';
import { inParallel } from './callers.ts';
import type { McpUpstream } from './mcp-upstream.ts';
import { lehmer } from './random.ts';
import { openTokenSession } from './token-session.ts';
import type { ClientKind, TokenSession } from './token-session.ts';

/** An upstream as clients see it. */
export interface MixedTarget {
  readonly upstream: McpUpstream;
  /** The gateway's slug for it; its prefix is `<slug>_`. */
  readonly slug: string;
  readonly era: 'legacy' | 'modern' | 'dual';
}

export interface MixedSessions {
  /** Of the gateway or of what stands before it, without a slash at the end. */
  readonly url: string;
  readonly bearer: string;
  /** Each client calls each upstream. */
  readonly clients: readonly ClientKind[];
  readonly targets: readonly MixedTarget[];
  readonly count: number;
  /** Sessions at the same time. */
  readonly concurrency: number;
}

interface Scene {
  readonly session: TokenSession;
  readonly tool: (name: string) => string;
  readonly upstream: McpUpstream;
  /** False where a level set at one replica reaches the others within five seconds only. */
  readonly isLogCertain: boolean;
}

type Step = (scene: Scene) => Promise<void>;

/** What is cancelled at one replica may have to be carried to another. */
const NOTICED = { timeout: 10_000, interval: 10 };

function expectSame(what: string, met: unknown, expected: unknown): void {
  if (met !== expected) throw new Error(`${what}: expected ${String(expected)}, met ${String(met)}`);
}

const STEPS = {
  async echo({ session, tool }) {
    expectSame('echo', await session.call(tool('echo'), { text: session.token }), session.token);
  },
  async log({ session, tool, isLogCertain }) {
    const before = session.received.logLines;
    expectSame('log', await session.call(tool('log'), { message: session.token }), 'logged');
    const lines = session.received.logLines - before;
    if (isLogCertain || lines > 0) expectSame('log lines', lines, 1);
  },
  async progress({ session, tool }) {
    let reports = 0;
    expectSame(
      'progress',
      await session.call(tool('progress'), { steps: 3 }, { onprogress: () => reports++ }),
      '3 steps',
    );
    expectSame('progress reports', reports, 3);
  },
  async sample({ session, tool }) {
    const text = await session.call(tool('sample'), { prompt: session.token });
    expectSame('sample', text, `sampled: ${session.token}`);
  },
  async elicit({ session, tool }) {
    const text = await session.call(tool('elicit'), { message: session.token });
    expectSame('elicit', text, `accept: ${JSON.stringify({ name: session.token })}`);
  },
  async together(scene) {
    const before = scene.session.received.questions;
    await Promise.all([STEPS.sample(scene), STEPS.elicit(scene), STEPS.echo(scene), STEPS.sample(scene)]);
    expectSame('questions', scene.session.received.questions - before, 3);
  },
  async cancel({ session, tool, upstream }) {
    const isHeld = (expected: boolean) =>
      vi.waitFor(() => expectSame('held upstream', upstream.isHolding(session.token), expected), NOTICED);
    const leaving = new AbortController();
    const held = session.call(tool('hold'), { text: session.token }, { signal: leaving.signal }).then(
      (text) => `answered ${text}`,
      () => 'cancelled',
    );
    await isHeld(true);
    leaving.abort();
    expectSame('a cancelled call', await held, 'cancelled');
    await isHeld(false);
  },
  async list({ session, tool }) {
    expectSame('the list has the tool', (await session.listTools()).includes(tool('echo')), true);
  },
} satisfies Record<string, Step>;

/** Plays them; what went wrong, one line each. */
export async function playMixedSessions(options: MixedSessions): Promise<readonly string[]> {
  const { clients, targets, count, concurrency } = options;
  const wrong: string[] = [];

  await inParallel(count, concurrency, async (number) => {
    const client = clients[number % clients.length] ?? 'legacy';
    const target = targets[Math.floor(number / clients.length) % targets.length];
    if (!target) return;
    const isJoined = Math.floor(number / clients.length / targets.length) % 2 === 0;
    const path = isJoined ? '/mcp' : `/servers/${target.slug}/mcp`;
    const token = `session-${number}-${crypto.randomUUID()}`;
    const where = `${client} client at ${path} of ${target.slug} (${number})`;
    let step = 'connect';
    try {
      const session = await openTokenSession(client, options.url + path, options.bearer, token);
      try {
        const tool = (name: string) => (isJoined ? `${target.slug}_${name}` : name);
        // where the upstream has no session, the gateway keeps the level of a legacy one
        const isLogCertain = client === 'modern' || target.era !== 'modern';
        for (step of shuffled(Object.keys(STEPS), number))
          await STEPS[step as keyof typeof STEPS]({ session, tool, upstream: target.upstream, isLogCertain });
        step = 'end';
      } finally {
        await session.end();
      }
      for (const stranger of session.strangers) wrong.push(`${where}: got another's ${stranger}`);
    } catch (error) {
      wrong.push(`${where}: ${step}: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
  return wrong;
}

/** In an order that is the same in every run. */
function shuffled(names: readonly string[], seed: number): string[] {
  const random = lehmer(seed + 1);
  return names
    .map((name) => ({ name, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ name }) => name);
}
