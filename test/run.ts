/**
 * What `npm test` runs: the whole of vitest, after a look at the programs some tests start. Other people's MCP clients
 * are installed into test/clients, when a file that was asked for starts them.
 *
 * A missing program is a failure in CI. Elsewhere the files that need it are left out and named at the end, loudly:
 * nobody should think they passed. The last line is `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, globSync, readFileSync, statSync } from 'node:fs';
import { delimiter, join, relative, resolve } from 'node:path';
import { startVitest } from 'vitest/node';

/** A file that imports `support`, directly or through other support files, starts `program`. */
const PROGRAMS = [
  { program: 'redis-server', support: 'test/support/redis.ts', install: 'apt-get install redis-server' },
  { program: 'postgres', support: 'test/support/postgres.ts', install: 'apt-get install postgresql' },
  { program: 'curl', support: 'test/support/shell.ts', install: 'apt-get install curl' },
  { program: 'openssl', support: 'test/support/openssl.ts', install: 'apt-get install openssl' },
] as const;

const CLIENTS = {
  program: 'the conformance suite or the Inspector',
  folder: 'test/clients',
  support: 'test/support/installed-clients.ts',
  install: 'npm ci in test/clients',
};

const root = resolve(import.meta.dirname, '..');
process.chdir(root);

// Debian keeps the PostgreSQL server out of PATH
const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...globSync('/usr/lib/postgresql/*/bin')];

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

/** Installs the packages of test/clients, unless they are there and no older than their lock. */
function installClients(): boolean {
  const changedMs = (path: string) => statSync(join(CLIENTS.folder, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (changedMs('node_modules/.package-lock.json') > changedMs('package-lock.json')) return true;
  console.log(`installing ${CLIENTS.program} into ${CLIENTS.folder}`);
  // one package has a script for its own checkout, which would only take time
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--fetch-retries=1'];
  const { status } = spawnSync('npm', ['ci', ...options], { cwd: CLIENTS.folder, stdio: 'inherit', timeout: 300_000 });
  return status === 0;
}

const filters = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const files = globSync('test/**/*.test.ts', { exclude: ['**/node_modules/**'] }).filter(
  (file) => filters.length === 0 || filters.some((filter) => resolve(file).includes(filter)),
);
const needing = (support: string) => files.filter((file) => reaches(file, support));
const missing = [...PROGRAMS.filter(({ program }) => !isInstalled(program)), CLIENTS]
  .map((needed) => ({ ...needed, files: needing(needed.support) }))
  .filter((needed) => needed.files.length > 0 && !(needed.support === CLIENTS.support && installClients()));
const notRun = missing.flatMap((needed) => needed.files);

const vitest = await startVitest(process.argv.slice(2), { run: true, cliExclude: notRun });
const modules = vitest.state.getTestModules();
const tests = modules.flatMap((module) => [...module.children.allTests()]);
const passed = tests.filter((test) => test.result().state === 'passed').length;
// a file that could not be loaded, a hook that broke and an error nobody caught count as one failure each
const broken = modules.filter((module) => !module.ok() && [...module.children.allTests()].every((test) => test.ok()));
const failed = tests.length - passed + broken.length + vitest.state.getUnhandledErrors().length;
await vitest.close();

for (const needed of missing) {
  console.error(`\nNOT RUN, because ${needed.program} is missing (${needed.install}):`);
  for (const file of needed.files) console.error(`  ${file}`);
}
const isIncomplete = notRun.length > 0 && process.env['CI'] === 'true';
process.exitCode = failed > 0 || passed === 0 || isIncomplete ? 1 : 0;
console.log(`\n${passed} passed, ${failed} failed`);
