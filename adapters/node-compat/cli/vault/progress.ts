import type { RotationProgress } from '../../../../src/index.ts';
import type { CliIo } from '../io.ts';

const INTERVAL_MS = 500;

/** Says on standard error how far a rotation is, twice a second at most. */
export function progressTo(
  io: CliIo,
  nowMs: () => number = () => performance.now(),
): (progress: RotationProgress) => void {
  let saidMs = nowMs();
  return ({ done, total, resealed }) => {
    if (nowMs() - saidMs < INTERVAL_MS) return;
    saidMs = nowMs();
    io.err(`${done} of ${total} records looked at, ${resealed} sealed anew`);
  };
}
