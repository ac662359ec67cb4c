import { Agent } from 'node:https';
import type { TlsPostern } from './tls-postern.ts';

export interface Load {
  /** Texts of the calls that were answered, each another one. */
  readonly answered: ReadonlySet<string>;
  /** Resolves once so many more calls were answered. */
  more(count: number): Promise<void>;
  /** Lets the last calls end; what resolves says what failed. */
  stop(): Promise<readonly { readonly text: string; readonly error: unknown }[]>;
}

/** Callers who call one call after the other: half over a connection they keep, half over a new one each time. */
export function startLoad(gateway: Pick<TlsPostern, 'echo'>, callers: number): Load {
  const answered = new Set<string>();
  const failed: { text: string; error: unknown }[] = [];
  const waiting = new Set<() => void>();
  let stopped = false;
  const run = async (caller: number): Promise<void> => {
    const agent = caller % 2 === 0 && new Agent({ keepAlive: true, maxSockets: 1 });
    for (let index = 0; !stopped; index++) {
      const text = `${caller}-${index}`;
      try {
        const answer = await gateway.echo(text, undefined, agent);
        if (answer !== text) throw new Error(`answered ${answer}`);
        answered.add(text);
      } catch (error) {
        failed.push({ text, error });
        stopped = failed.length > 1000;
      }
      for (const check of waiting) check();
    }
    if (agent) agent.destroy();
  };
  const running = Promise.all(Array.from({ length: callers }, (_, caller) => run(caller)));
  return {
    answered,
    more: (count) => {
      const wanted = answered.size + count;
      return new Promise((resolve) => {
        const check = () => {
          if (answered.size < wanted && failed.length < 1000) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
      });
    },
    stop: async () => {
      stopped = true;
      await running;
      return failed;
    },
  };
}
