import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** Installs what a folder of the checkout pins, unless it is there and no older than its lock; whether it is there now. */
export function installPackages(folder: string): boolean {
  const path = (name: string): string => join(root, folder, name);
  const changedMs = (name: string): number => statSync(path(name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (changedMs('node_modules/.package-lock.json') > changedMs('package-lock.json')) return true;
  console.log(`installing the packages of ${folder}`);
  const options = ['--no-audit', '--no-fund', '--prefer-offline', '--fetch-retries=1'];
  const { status } = spawnSync('npm', ['ci', ...options], { cwd: path('.'), stdio: 'inherit', timeout: 300_000 });
  return status === 0;
}
