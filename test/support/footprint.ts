/** What this process holds once garbage is gone; needs --expose-gc, as vitest.soak.config.ts gives it. */
export interface Footprint {
  readonly heapBytes: number;
  /** Buffers and what else lives outside the heap. */
  readonly externalBytes: number;
  /** Open TCP and TLS sockets, listening ones included, of both ends where both are here. */
  readonly sockets: number;
}

export async function footprint(): Promise<Footprint> {
  const collect = (globalThis as { gc?: () => void }).gc;
  if (!collect) throw new Error('expected --expose-gc');
  // finalizers run between two collections
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise(setImmediate);
  }
  const { heapUsed, external } = process.memoryUsage();
  const sockets = process.getActiveResourcesInfo().filter((name) => /^(TCP|TLS)/.test(name)).length;
  return { heapBytes: heapUsed, externalBytes: external, sockets };
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
