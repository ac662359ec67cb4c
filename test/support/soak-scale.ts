/**
 * How much of a soak is run: SOAK_SCALE, above 0 and at most 1, which is the default. CI runs a part.
 *
 * @returns `full` scaled, at least `least`
 */
export function scaled(full: number, least = 1): number {
  const scale = Number(process.env['SOAK_SCALE'] ?? '1');
  if (!(scale > 0 && scale <= 1)) throw new Error('expected SOAK_SCALE above 0 and at most 1');
  return Math.max(least, Math.round(full * scale));
}
