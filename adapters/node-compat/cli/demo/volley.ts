/** What a volley of calls came to. */
export interface Volley {
  readonly calls: number;
  readonly failures: readonly unknown[];
  /** How often each answer was given. */
  readonly answers: ReadonlyMap<string, number>;
}

const CALLERS = 8;

/** Eight callers at once, each with its next call as soon as it has an answer, as long as `isWanted(calls begun)`. */
export async function volley(call: () => Promise<string>, isWanted: (begun: number) => boolean): Promise<Volley> {
  const failures: unknown[] = [];
  const answers = new Map<string, number>();
  let calls = 0;
  const caller = async (): Promise<void> => {
    while (isWanted(calls)) {
      calls++;
      try {
        const answer = await call();
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return { calls, failures, answers };
}
