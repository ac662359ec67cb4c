import type { FleetView, InstanceView } from '../../../../src/index.ts';

/** What is waited for. */
export interface Expected {
  /** The number of the generation. */
  readonly generation: number;
  /** The slug of the one gateway it is about; undefined when it is about everything. */
  readonly gateway: string | undefined;
}

/** A live instance that could not come to what is expected. */
export interface FailedInstance {
  readonly instance: InstanceView;
  readonly problems: InstanceView['problems'];
}

/** How every instance stands to what is expected. */
export interface Verdict {
  readonly current: readonly InstanceView[];
  readonly behind: readonly InstanceView[];
  readonly failed: readonly FailedInstance[];
  /** They do not count: they serve nobody, or cannot be asked. */
  readonly lapsed: readonly InstanceView[];
}

/** What fails as a whole concerns each gateway; see `rotatingGateways`. */
const ALL_GATEWAYS = 'gateways';

/** Judges by one generation, also when a later one was written meanwhile: being at that one is being past this one. */
export function judge({ instances }: FleetView, { generation, gateway }: Expected): Verdict {
  const concerns = ({ name }: { readonly name: string }): boolean =>
    gateway === undefined || name === gateway || name === ALL_GATEWAYS;
  const verdict = { current: [], behind: [], failed: [], lapsed: [] } as {
    -readonly [K in keyof Verdict]: Verdict[K][number][];
  };
  for (const instance of instances) {
    const concerning = instance.problems.filter(concerns);
    const isThere = instance.generation >= generation;
    if (instance.state === 'lapsed') verdict.lapsed.push(instance);
    else if (isThere && concerning.length === 0) verdict.current.push(instance);
    else if (isThere || instance.state === 'failed')
      verdict.failed.push({ instance, problems: concerning.length > 0 ? concerning : instance.problems });
    else verdict.behind.push(instance);
  }
  return verdict;
}

/** Whether waiting longer would tell more. While the store is lost, who lives is not known. */
export function isSettled(view: FleetView, expected: Expected): boolean {
  return view.storeLostAt === null && judge(view, expected).behind.length === 0;
}
