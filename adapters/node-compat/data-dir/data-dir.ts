import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  GatewayError,
  Secret,
  formatVaultKeys,
  isSharedStorage,
  isSignatureAlgorithm,
  parseVaultKeys,
} from '../../../src/index.ts';
import type { Config, EventSink, SettingValues } from '../../../src/index.ts';
import { exists } from '../files/file-reader.ts';
import { makeFolder } from '../files/make-folder.ts';
import { readSigningKeyFile, openSigningKeyFile } from './signing-key-file.ts';
import { openVaultKeyFile, readVaultKeyFile } from './vault-key-file.ts';

/** Where the embedded gateway keeps its vault keys. */
export const vaultKeyFile = (dataDir: string): string => join(dataDir, 'vault.key');
const signingKeyFile = (dataDir: string): string => join(dataDir, 'signing.key');
const pidFile = (dataDir: string): string => join(dataDir, 'postern.pid');

/**
 * Settings with everything a gateway needs beside them: the data directory is there, and keys that were not given are
 * read from it, or made on the first start.
 *
 * @throws GatewayError config_invalid for a shared store without keys, file_refused, vault_key_invalid
 */
export async function completeConfig(values: SettingValues, events: EventSink): Promise<Config> {
  const { dataDir } = values;
  refuseMadeUpKeys(values);
  if (values.vaultKeys !== undefined) parseVaultKeys(values.vaultKeys);
  await makeFolder(dataDir).catch(({ code, name }: NodeJS.ErrnoException) => {
    // what Deno does not permit has a name and no code
    throw new GatewayError('file_refused', `the data directory ${dataDir} cannot be made (${code ?? name})`, {
      hint: 'name another one with --data-dir, or check who owns it; on Deno, name the same one to --allow-write',
    });
  });
  const needsSecret = values.jwtSecretKey === undefined && !isSignatureAlgorithm(values.jwtAlgorithm);
  const isFirstStart = needsSecret && !(await exists(signingKeyFile(dataDir)));
  const jwtSecretKey = needsSecret ? await openSigningKeyFile(signingKeyFile(dataDir), events) : values.jwtSecretKey;
  if (isFirstStart) events('gateway.first_start', { dataDir, next: tokenCommand(dataDir) });
  if (values.vaultKeys === undefined) {
    await refuseLostKeys(values);
    await openVaultKeyFile(vaultKeyFile(dataDir), events);
  }
  return Object.freeze({ ...values, storage: storageOf(values), jwtSecretKey });
}

/** A store that outlived its keys: a fresh key opens nothing in it, and would hide that the old one is missed. */
async function refuseLostKeys(values: SettingValues): Promise<void> {
  const [, store] = /^sqlite:(.+)$/.exec(storageOf(values).reveal()) ?? [];
  const path = vaultKeyFile(values.dataDir);
  // in this order: who makes both makes the key first
  if (store === undefined || !(await exists(store)) || (await exists(path))) return;
  throw new GatewayError('file_refused', `${path} is not there, but the store ${store} that was sealed with it is`, {
    hint: 'restore the file from a backup, or set POSTERN_VAULT_KEYS; to begin anew without the gateways in it, remove the store',
  });
}

/**
 * The vault keys as POSTERN_VAULT_KEYS writes them: given, or what the key file holds now. A file that is gone is not
 * made again: a fresh key opens nothing, and a gateway that runs would seal with it.
 *
 * @throws GatewayError file_refused, vault_key_invalid
 */
export async function readVaultKeys({ vaultKeys, dataDir }: SettingValues): Promise<Secret> {
  return vaultKeys ?? formatVaultKeys(await readVaultKeyFile(vaultKeyFile(dataDir)));
}

/**
 * The signing key of a gateway that was started before; undefined where tokens are signed with a private key.
 *
 * @throws GatewayError config_invalid when there is none, file_refused
 */
export async function existingSigningKey(values: SettingValues): Promise<Secret | undefined> {
  const { jwtSecretKey, dataDir, jwtAlgorithm } = values;
  if (isSignatureAlgorithm(jwtAlgorithm)) return undefined;
  const key = jwtSecretKey ?? (await readSigningKeyFile(signingKeyFile(dataDir)));
  if (key !== undefined) return key;
  throw new GatewayError('config_invalid', `there is no signing key in ${dataDir}`, {
    hint: 'start the gateway once with `postern serve`, name its --data-dir, or set JWT_SECRET_KEY',
  });
}

/** Where records live unless a store is named. */
export function storageOf({ storage, dataDir }: SettingValues): Secret {
  return storage ?? new Secret(`sqlite:${join(dataDir, 'postern.db')}`);
}

/** Writes down which process takes signals; the returned function removes it. */
export async function writePid(dataDir: string): Promise<() => Promise<void>> {
  const path = pidFile(dataDir);
  await writeFile(path, `${process.pid}\n`, { mode: 0o644 });
  return async () => {
    // another gateway that was started over this directory meanwhile takes the signals now
    if ((await readFile(path, 'utf8').catch(() => '')) === `${process.pid}\n`) await rm(path, { force: true });
  };
}

/** Whether a gateway seems to run over this data directory. */
export function hasPid(dataDir: string): Promise<boolean> {
  return exists(pidFile(dataDir));
}

/**
 * A store that several instances use needs keys that all of them have.
 *
 * @throws GatewayError config_invalid
 */
export function refuseMadeUpKeys({ storage, vaultKeys, jwtSecretKey, jwtAlgorithm }: SettingValues): void {
  if (!isSharedStorage(storage)) return;
  const signs = jwtSecretKey !== undefined || isSignatureAlgorithm(jwtAlgorithm);
  const missing = [vaultKeys ? '' : 'POSTERN_VAULT_KEYS', signs ? '' : 'JWT_SECRET_KEY'].filter((name) => name !== '');
  if (missing.length === 0) return;
  throw new GatewayError(
    'config_invalid',
    `a shared store needs ${missing.join(' and ')}, the same on every instance`,
    {
      hint: '`postern vault key` prints fresh ones',
    },
  );
}

const tokenCommand = (dataDir: string): string =>
  `postern token --sub you --role admin${dataDir === './data' ? '' : ` --data-dir ${dataDir}`}`;
