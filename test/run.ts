/**
 * What `npm test` runs: the whole of vitest, after a look at the programs some tests start. Other people's MCP clients
 * and the other runtimes are installed into test/clients and test/runtime, when something that was asked for needs them. Then
 * the contracts run on each runtime.
 *
 * A missing program is a failure in CI. Elsewhere the files that need it are left out and named at the end, loudly:
 * nobody should think they passed. The last line is `N passed, N failed`.
 */
import { accessSync, constants, globSync, readFileSync } from 'node:fs';
import { delimiter, join, relative, resolve } from 'node:path';
import { startVitest } from 'vitest/node';
import { installPackages } from './install-packages.ts';
import { SUITE_NAMES, runSuites } from './runtime/suites.ts';

/** A file that imports `support`, directly or through other support files, starts `program`. */
const PROGRAMS = [
  { program: 'redis-server', support: 'test/support/redis.ts', install: 'apt-get install redis-server' },
  { program: 'postgres', support: 'test/support/postgres.ts', install: 'apt-get install postgresql' },
  { program: 'curl', support: 'test/support/shell.ts', install: 'apt-get install curl' },
  { program: 'openssl', support: 'test/support/openssl.ts', install: 'apt-get install openssl' },
  { program: 'nginx', support: 'test/support/nginx.ts', install: 'apt-get install nginx-light' },
  { program: 'caddy', support: 'test/support/caddy.ts', install: 'apt-get install caddy' },
  { program: 'haproxy', support: 'test/support/haproxy.ts', install: 'apt-get install haproxy' },
] as const;

/** The same for packages of other people, which are installed when a file that was asked for needs them. */
const PACKAGES = [
  {
    program: 'the conformance suite or the Inspector',
    folder: 'test/clients',
    support: 'test/support/installed-clients.ts',
  },
  { program: 'Deno, Bun, workerd or another Node', folder: 'test/runtime', support: 'test/runtime/programs.ts' },
] as const;

const root = resolve(import.meta.dirname, '..');
process.chdir(root);

// Debian keeps servers out of PATH
const folders = [
  ...(process.env['PATH'] ?? '').split(delimiter),
  '/usr/sbin',
  ...globSync('/usr/lib/postgresql/*/bin'),
];

function isInstalled(program: string): boolean {
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function importsOf(path: string): string[] {
  const specifiers = readFileSync(path, 'utf8').matchAll(/^import (?!type )[^']*'(\.[^']+)'/gm);
  return [...specifiers].map(([, specifier = '']) => relative(root, resolve(path, '..', specifier)));
}

function reaches(path: string, wanted: string, seen = new Set<string>()): boolean {
  if (path === wanted) return true;
  if (seen.has(path) || !path.startsWith('test/')) return false;
  seen.add(path);
  return importsOf(path).some((next) => reaches(next, wanted, seen));
}

const filters = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const files = globSync('test/**/*.test.ts', { exclude: ['**/node_modules/**'] }).filter(
  (file) => filters.length === 0 || filters.some((filter) => resolve(file).includes(filter)),
);
const needing = (support: string) => files.filter((file) => reaches(file, support));
// the contracts run on every runtime, unless somebody asked for certain files
const runsSuites = filters.length === 0;
const missingPrograms = PROGRAMS.filter(({ program }) => !isInstalled(program));
const missingPackages = PACKAGES.filter(
  ({ folder, support }) =>
    (needing(support).length > 0 || (runsSuites && folder === 'test/runtime')) && !installPackages(folder),
).map((needed) => ({ ...needed, install: `npm ci in ${needed.folder}` }));
const missing = [...missingPrograms, ...missingPackages]
  .map((needed) => ({ ...needed, files: needing(needed.support) }))
  .filter((needed) => needed.files.length > 0 || 'folder' in needed);
const notRun = missing.flatMap((needed) => needed.files);

const vitest = await startVitest(process.argv.slice(2), { run: true, cliExclude: notRun });
const modules = vitest.state.getTestModules();
const tests = modules.flatMap((module) => [...module.children.allTests()]);
const passed = tests.filter((test) => test.result().state === 'passed').length;
// a file that could not be loaded, a hook that broke and an error nobody caught count as one failure each
const broken = modules.filter((module) => !module.ok() && [...module.children.allTests()].every((test) => test.ok()));
const failed = tests.length - passed + broken.length + vitest.state.getUnhandledErrors().length;
await vitest.close();

const hasRuntimes = !missingPackages.some(({ folder }) => folder === 'test/runtime');
const onRuntimes = await runSuites(runsSuites && hasRuntimes ? SUITE_NAMES : [], notRun);
const total = { passed: passed + onRuntimes.passed, failed: failed + onRuntimes.failed };

for (const needed of missing) {
  console.error(`\nNOT RUN, because ${needed.program} is missing (${needed.install}):`);
  for (const file of needed.files) console.error(`  ${file}`);
  if ('folder' in needed && needed.folder === 'test/runtime') console.error('  the contracts on other runtimes');
}
const isIncomplete = missing.length > 0 && process.env['CI'] === 'true';
process.exitCode = total.failed > 0 || total.passed === 0 || isIncomplete ? 1 : 0;
console.log(`\n${total.passed} passed, ${total.failed} failed`);
