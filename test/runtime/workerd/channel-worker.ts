/** Channels of Workers, put through what can happen to one; each path is a story and answers with what came of it. */
import { fetchersIn } from '../../../adapters/cloudflare/bindings.ts';
import type { Env, Fetcher } from '../../../adapters/cloudflare/bindings.ts';
import { platformClock } from '../../../adapters/cloudflare/clock.ts';
import { createBindingDialer } from '../../../adapters/cloudflare/dialer/binding-dialer.ts';
import { Cancellation, createEventHub, GatewayError, toGatewayError } from '../../../src/index.ts';
import type { Channel, ChannelRequest } from '../../../src/index.ts';

const GET: ChannelRequest = { method: 'GET', path: '/endless', headers: {} };
const over = new GatewayError('connection_cut', 'the test cuts');
const codeOf = (error: unknown): string =>
  error instanceof GatewayError ? error.code : error instanceof Error ? error.message : String(error);

/** The code a promise fails with; `fine` where it does not. */
const failure = (work: Promise<unknown>): Promise<string> => work.then(() => 'fine', codeOf);

/** Reads on to the end; the code it fails with. */
async function readOut(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  try {
    while (!(await reader.read()).done);
    return 'ended';
  } catch (error) {
    return codeOf(error);
  }
}

/** An answer without an end of which the first bytes were read. */
async function reading(channel: Channel, request: Partial<ChannelRequest> = {}) {
  const response = await channel.send({ ...GET, ...request });
  const reader = response.stream().getReader();
  await reader.read();
  return reader;
}

type Story = (channel: Channel) => Promise<unknown>;

const STORIES: Readonly<Record<string, Story>> = {
  async destroy(channel) {
    const reader = await reading(channel);
    const unread = await channel.send(GET);
    const waiting = failure(channel.send({ ...GET, path: '/silent' }));
    const count = channel.destroy(over);
    const again = channel.destroy(over);
    const rest = [
      await readOut(reader),
      await failure(unread.text(10)),
      await waiting,
      await failure(channel.send(GET)),
    ];
    return { count, again, rest, active: channel.active, closed: channel.closed };
  },
  async drain(channel) {
    const reader = await reading(channel);
    const draining = channel.drain(100);
    return [await failure(channel.send(GET)), await draining, await readOut(reader), channel.active];
  },
  async drainOfWhatEnds(channel) {
    const response = await channel.send({ ...GET, path: '/short' });
    const draining = channel.drain(Number.POSITIVE_INFINITY);
    return [await response.text(100), await draining];
  },
  async end(channel) {
    const [mine, other] = [{}, {}];
    const [ended, kept] = [await reading(channel, { group: mine }), await reading(channel, { group: other })];
    const count = channel.end(mine, over);
    return [count, await readOut(ended), channel.active, await failure(kept.read()), channel.closed];
  },
  async cut(channel) {
    const reader = await reading(channel);
    return [channel.peers(), channel.cut([], over), await readOut(reader), channel.closed];
  },
  async abort(channel) {
    const [before, during] = [new Cancellation(), new Cancellation()];
    const waiting = failure(channel.send({ ...GET, path: '/silent', signal: before }));
    const reader = await reading(channel, { signal: during });
    before.abort(new GatewayError('call_cancelled', 'gave up'));
    during.abort(new GatewayError('call_cancelled', 'gave up'));
    return [
      await waiting,
      await readOut(reader),
      await failure(channel.send({ ...GET, signal: before })),
      channel.active,
    ];
  },
  async cancel(channel) {
    const ends: unknown[] = [];
    const reader = await reading(channel, { onEnd: (error) => ends.push(error?.code ?? 'none') });
    await reader.cancel();
    return [ends, channel.active];
  },
  async ends(channel) {
    const ends: unknown[] = [];
    const onEnd = (error: GatewayError | undefined): void => void ends.push(error?.code ?? 'none');
    const text = await (await channel.send({ ...GET, path: '/short', onEnd })).text(100);
    const broken = await channel.send({ ...GET, path: '/broken', onEnd });
    return [text, await failure(broken.text(1000)), ends, channel.active];
  },
  async limits(channel) {
    const large = await channel.send({ ...GET, path: '/large' });
    const tooLarge = await failure(large.text(1000));
    const small = await (await channel.send({ ...GET, path: '/short' })).body(1000);
    const rest = await (await channel.send({ ...GET, path: '/large' })).body(1000);
    const length = typeof rest === 'string' ? -1 : (await new Response(rest).text()).length;
    return [tooLarge, small, length, channel.active];
  },
  async silent(channel) {
    const startedMs = Date.now();
    const code = await failure(channel.send({ ...GET, path: '/silent', headersTimeoutMs: 150 }));
    return [code, Date.now() - startedMs >= 140, channel.active];
  },
  async answers(channel) {
    const post = await channel.send({ method: 'POST', path: '/echo?a=b', headers: { 'x-one': '1' }, body: '{"ä":1}' });
    const moved = await channel.send({ ...GET, path: '/moved' });
    const empty = await channel.send({ ...GET, path: '/empty' });
    const packed = await channel.send({ ...GET, path: '/packed' });
    return {
      post: [post.status, post.headers['x-two'], await post.text(1000)],
      moved: [moved.status, moved.headers['location'], await moved.text(10)],
      empty: [empty.status, await empty.text(10)],
      packed: [packed.headers['content-encoding'], packed.headers['content-length'], await packed.text(100)],
      active: channel.active,
    };
  },
  async refused(channel) {
    return [
      await failure(channel.send({ ...GET, path: '@elsewhere.test/x' })),
      await failure(channel.send({ ...GET, headers: { 'x-bad': 'a\nb' } })),
      channel.active,
    ];
  },
};

/** Under the name the configuration of the Worker has for its gateways. */
export class PosternGateway {
  readonly #env: Env;

  constructor(_: unknown, env: Env) {
    this.#env = env;
  }

  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const anonymous: Fetcher = { fetch: (input, init) => fetch(input, init) };
    const fetchers = fetchersIn(this.#env);
    const dialer = createBindingDialer({ clock: platformClock, events: createEventHub(), anonymous, fetchers });
    try {
      const channel = await dialer.open(undefined, searchParams.get('origin') ?? '');
      const story = STORIES[pathname.slice(1)];
      const told = await story?.(channel);
      channel.destroy(over);
      return Response.json(told);
    } catch (error) {
      return Response.json({ code: toGatewayError(error).code });
    }
  }
}

interface Namespaces {
  readonly GATEWAY: { getByName(name: string): Fetcher };
}

export default {
  fetch: (request: Request, { GATEWAY }: Namespaces) => GATEWAY.getByName('stories').fetch(request),
};
