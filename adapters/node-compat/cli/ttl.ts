import { UsageError } from './arguments.ts';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const MAX_TTL_SECONDS = 3650 * 86_400;

/** The seconds of a `--ttl`. @throws UsageError */
export function parseTtl(text: string): number {
  const [, digits, unit = 's'] = /^(\d{1,9})([smhd])?$/.exec(text) ?? [];
  const seconds = Number(digits) * (SECONDS[unit] ?? Number.NaN);
  if (seconds >= 1 && seconds <= MAX_TTL_SECONDS) return seconds;
  throw new UsageError(`expected --ttl as 90s, 15m, 1h or 30d, up to ten years, met ${text}`);
}
