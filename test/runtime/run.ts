/** `npm run test:runtimes [-- NAME …]`: the contracts on all runtimes, or on those that are named. */
import { installPackages } from '../install-packages.ts';
import { SUITE_NAMES, runSuites } from './suites.ts';

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(SUITE_NAMES as readonly string[]).includes(name));
if (unknown.length > 0) throw new Error(`expected ${SUITE_NAMES.join(', ')}; met ${unknown.join(', ')}`);
if (!installPackages('test/runtime')) throw new Error('the runtimes could not be installed: npm ci in test/runtime');

const wanted = SUITE_NAMES.filter((suite) => names.length === 0 || names.includes(suite));
const { passed, failed } = await runSuites(wanted);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
