/** A process that commits two records over and over, and prints each number once its commit has resolved. */
import { openStorage } from '../../adapters/node-compat/storage/open-storage.ts';
import { NODE } from '../../adapters/node/runtime.ts';
import { Secret } from '../../src/base/secret.ts';

const [url = ''] = process.argv.slice(2);
const storage = await openStorage(NODE, new Secret(url));
for (let n = 1; ; n++) {
  const value = JSON.stringify({ n, padding: 'x'.repeat(2_000) });
  await storage.commit([
    { key: 'gateway:left', value },
    { key: 'gateway:right', value },
  ]);
  process.stdout.write(`${n}\n`);
}
