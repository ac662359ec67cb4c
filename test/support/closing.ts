import { afterEach } from 'vitest';

/** A list for what a test opens: how it is closed again, which happens after each test, last opened first. */
export function closeAfterEach(): (() => unknown)[] {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });
  return closing;
}
