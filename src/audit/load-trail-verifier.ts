/** What looks at a trail, loaded by those who do: a gateway that serves only writes one. */
export const loadTrailVerifier = async () => (await import('./trail-verifier.ts')).TrailVerifier;
