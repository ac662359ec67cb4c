import { join } from 'node:path';
import { GatewayError, daysLeft, expiryState, parseCertificates, toGatewayError } from '../../../../src/index.ts';
import type { CertificateFacts, ExpiryState } from '../../../../src/index.ts';
import { readTextFile } from '../../files/file-reader.ts';
import { listFiles } from './files.ts';

/** One certificate found, or a file that should hold one and cannot be read. */
export type CheckedFile =
  | { readonly path: string; readonly state: ExpiryState; readonly daysLeft: number; readonly facts: CertificateFacts }
  | { readonly path: string; readonly state: 'unreadable'; readonly error: GatewayError };

/**
 * Every certificate below a folder with its expiry, in the order of paths. Copies of the CA certificate beside other
 * certificates are left out; a `ca.crt` that is no copy is not.
 *
 * @throws GatewayError certificate_missing when there is none.
 */
export async function checkCertificates(
  directory: string,
  nowMs: number,
  warnDays: number,
): Promise<readonly CheckedFile[]> {
  const checked: CheckedFile[] = [];
  for (const path of await listFiles(directory, '.crt')) checked.push(...(await checkFile(path, nowMs, warnDays)));
  if (checked.length === 0)
    throw new GatewayError('certificate_missing', `no certificate (*.crt) was found in ${directory}`, {
      hint: 'make them with `postern certs all`, or give the right --dir',
    });
  const authorities = new Set(checked.filter(({ path }) => path === join(directory, 'ca', 'ca.crt')).map(digestOf));
  const isCopy = (file: CheckedFile) =>
    file.path.endsWith('ca.crt') && file.path !== join(directory, 'ca', 'ca.crt') && authorities.has(digestOf(file));
  return checked.filter((file) => file.state === 'unreadable' || !isCopy(file));
}

async function checkFile(path: string, nowMs: number, warnDays: number): Promise<readonly CheckedFile[]> {
  try {
    const certificates = await parseCertificates(await readTextFile(path), 'certificate_unreadable');
    return certificates.map(({ facts }) => ({
      path,
      state: expiryState(facts, nowMs, warnDays),
      daysLeft: daysLeft(facts, nowMs),
      facts,
    }));
  } catch (error) {
    return [{ path, state: 'unreadable', error: toGatewayError(error) }];
  }
}

function digestOf(file: CheckedFile): string | undefined {
  return file.state === 'unreadable' ? undefined : file.facts.sha256;
}
