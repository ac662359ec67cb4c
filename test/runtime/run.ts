/** `npm run test:runtimes [-- NAME …]`: the contracts on all runtimes, or on those that are named. */
import { installPackages } from '../install-packages.ts';
import { SUITE_NAMES, runSuite } from './suites.ts';

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(SUITE_NAMES as readonly string[]).includes(name));
if (unknown.length > 0) throw new Error(`expected ${SUITE_NAMES.join(', ')}; met ${unknown.join(', ')}`);
if (!installPackages('test/runtime')) throw new Error('the runtimes could not be installed: npm ci in test/runtime');

const total = { passed: 0, failed: 0 };
for (const name of SUITE_NAMES.filter((suite) => names.length === 0 || names.includes(suite))) {
  const { passed, failed } = await runSuite(name);
  total.passed += passed;
  total.failed += failed;
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;
