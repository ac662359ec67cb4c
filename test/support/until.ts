import { setTimeout } from 'node:timers/promises';

/** Resolves once `check` holds; what is looked at tells nobody when it changes. */
export async function until(check: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await check())) await setTimeout(10);
}
