/** Time as the core sees it, so that tests can hold it still. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch: for dates people and certificates use. */
  nowMs(): number;
  /** Milliseconds that only move forward: for durations, TTLs and back-off. */
  monotonicMs(): number;
  /** Runs `task` once after `delayMs`; the returned function cancels it. Does not keep a process alive. */
  after(delayMs: number, task: () => void): () => void;
}
