/** Uniform in [0, 1), the same draws in every run. @see Park and Miller, Communications of the ACM 31 (1988), p. 1192 */
export function lehmer(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
