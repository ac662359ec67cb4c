/** OpenSSL reads our requests, and we read what it answers. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ocspAnswer } from '../../../src/pki/ocsp-answer.ts';
import { ocspRequest } from '../../../src/pki/ocsp-request.ts';
import { issueStatused, OCSP_SIGNING } from '../../support/ocsp-pki.ts';
import { type MintedCa, type MintedCertificate, mintPki } from '../../support/pki.ts';
import { makeTempFolder, type TempFolder } from '../../support/temp-folder.ts';

let folder: TempFolder;
let ca: MintedCa;
let signer: MintedCertificate;
beforeAll(async () => {
  folder = await makeTempFolder();
  ca = await (await mintPki()).ca('CA', { keyType: 'rsa2048' });
  signer = await issueStatused(ca, { cn: 'responder', usages: [OCSP_SIGNING] });
});
afterAll(() => folder.remove());

/** What `openssl ocsp` answers about a certificate, with that in its index. */
async function answered({ certificate }: MintedCertificate, index: string, signs: 'ca' | 'delegate', more: string[]) {
  const file = async (name: string, content: string | Uint8Array) => {
    const path = join(folder.path, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
  const [pem, key] = signs === 'ca' ? [ca.pem, ca.keyPem] : [signer.certPem, signer.keyPem];
  const respout = join(folder.path, 'response.der');
  const args = ['ocsp', '-index', await file('index.txt', index), '-CA', await file('ca.pem', ca.pem)];
  args.push('-rsigner', await file('signer.pem', pem), '-rkey', await file('signer.key', key), '-rmd', 'sha256');
  args.push('-reqin', await file('request.der', await ocspRequest(certificate, ca.certificate)));
  args.push('-respout', respout, ...more);
  await promisify(execFile)('openssl', args);
  return ocspAnswer(await readFile(respout), certificate, ca.certificate, Date.now());
}

const entry = (begin: string, { serialNumber }: MintedCertificate) =>
  `${begin}\t${serialNumber.toUpperCase()}\tunknown\t/CN=leaf\n`;

test.each(['ca', 'delegate'] as const)('answers signed by its %s', async (signs) => {
  const leaf = await issueStatused(ca, { cn: 'leaf' });
  const ask = (index: string, ...more: string[]) => answered(leaf, index, signs, more);
  expect(await ask(entry('V\t491231235959Z\t', leaf), '-nmin', '5')).toMatchObject({ status: 'good' });
  expect(await ask(entry('R\t491231235959Z\t250101000000Z', leaf), '-nmin', '5')).toMatchObject({ status: 'revoked' });
  expect(await ask('', '-resp_key_id')).toMatchObject({ status: 'unknown' });
});
