import { once } from 'node:events';
import type { Footprint } from './footprint.ts';

/** What holds a process alive beside its heap. */
export interface ProcessFootprint extends Footprint {
  /** Timers that are running. */
  readonly timers: number;
}

/** A process that was started with `--inspect`, looked at from outside. */
export interface Inspected {
  /** After its garbage was collected. */
  footprint(): Promise<ProcessFootprint>;
  close(): void;
}

const MEASURE = `(() => {
  const { heapUsed: heapBytes, external: externalBytes } = process.memoryUsage();
  const open = process.getActiveResourcesInfo();
  const count = (kind) => open.filter((name) => kind.test(name)).length;
  return { heapBytes, externalBytes, sockets: count(/^(TCP|TLS)/), timers: count(/^Timeout/) };
})()`;

/** Connects to the inspector whose address stands in what the process printed. */
export async function inspect(printed: string): Promise<Inspected> {
  const address = /Debugger listening on (ws:\S+)/.exec(printed)?.[1];
  if (address === undefined) throw new Error('expected a process with --inspect');
  const socket = new WebSocket(address);
  await once(socket, 'open');
  let lastId = 0;
  const ask = async (method: string, params: object = {}): Promise<unknown> => {
    const id = ++lastId;
    socket.send(JSON.stringify({ id, method, params }));
    for (;;) {
      const [{ data }] = (await once(socket, 'message')) as [{ data: string }];
      const message = JSON.parse(data) as { id?: number; result?: unknown };
      if (message.id === id) return message.result;
    }
  };
  return {
    async footprint() {
      // finalizers run between two collections
      for (let round = 0; round < 3; round++) await ask('HeapProfiler.collectGarbage');
      const { result } = (await ask('Runtime.evaluate', { expression: MEASURE, returnByValue: true })) as {
        result: { value: ProcessFootprint };
      };
      return result.value;
    },
    close: () => socket.close(),
  };
}
