/** Makes room for one more in what may hold `maxCount`: what came in first goes. */
export function makeRoom<K>(held: Pick<Map<K, unknown> | Set<K>, 'size' | 'keys' | 'delete'>, maxCount: number): void {
  if (held.size < maxCount) return;
  const [oldest] = held.keys();
  if (oldest !== undefined) held.delete(oldest);
}
