/** Watches the file it is given, under what else it is given, prints what was reported as JSON, and is done. */
import { openSync } from 'node:fs';
import { systemClock } from '../../adapters/node-compat/clock.ts';
import { createFileWatcher } from '../../adapters/node-compat/files/file-watcher.ts';

const [path = '', condition] = process.argv.slice(2);
const reported: object[] = [];
if (condition === 'unprivileged' && process.geteuid?.() === 0) process.seteuid?.(65_534);
if (condition === 'no more files') openEverything();

const watching = createFileWatcher({
  clock: systemClock,
  events: (name, fields) => void reported.push({ name, fields }),
})(() => undefined);
await watching.watch([path]);
await watching.watch([path]);
process.stdout.write(JSON.stringify(reported));

function openEverything(): void {
  try {
    for (;;) openSync('/dev/null', 'r');
  } catch {
    // that was the last
  }
}
