import { createPrivateKey } from 'node:crypto';
import { join } from 'node:path';
import {
  GatewayError,
  Secret,
  checkAnchor,
  createAuthority,
  isSignedBy,
  issueCertificate,
  parseCertificates,
} from '../../../../src/index.ts';
import type { Certificate, CertificateRequest, IssuedCertificate } from '../../../../src/index.ts';
import { readTextFile } from '../../files/file-reader.ts';
import { exists, writeNewFiles, type NewFile } from './files.ts';
import { checkPluginName, parseClientName } from './names.ts';
import type { CertsOptions } from './options.ts';

const ORGANIZATION = 'Postern';
const DAY_MS = 86_400_000;

/** Clocks of other machines may be behind: a certificate must not be from their future. */
const BACKDATED_MS = 5 * 60_000;

/** What became of one folder. */
export interface Made {
  readonly outcome: 'created' | 'kept';
  readonly directory: string;
  readonly files: readonly string[];
  readonly certificate: Certificate;
  /** True when a kept certificate comes from another authority than the one that is there now. */
  readonly isForeign: boolean;
}

type Settings = Pick<CertsOptions, 'directory' | 'days' | 'keyType'>;

interface Leaf {
  readonly directory: string;
  readonly stem: 'client' | 'server';
  readonly request: Omit<CertificateRequest, 'notBefore' | 'notAfter' | 'keyType'>;
}

/** The certificate authority: the one on disk, or a new one. @throws GatewayError when what is there is not whole. */
export async function makeAuthority(
  settings: Settings,
  nowMs: number,
): Promise<{ made: Made; authority: IssuedCertificate }> {
  const directory = join(settings.directory, 'ca');
  if (await isThere(directory, 'ca')) {
    const authority = await readAuthority(directory, nowMs);
    const { certificate } = authority;
    return { made: { outcome: 'kept', directory, files: [], certificate, isForeign: false }, authority };
  }
  const subject = { commonName: 'Postern-CA', organization: ORGANIZATION, organizationalUnit: 'Plugins' };
  const authority = await createAuthority({ subject, keyType: settings.keyType, ...validity(settings.days, nowMs) });
  const files = [
    { name: 'ca.key', content: authority.privateKey },
    { name: 'ca.crt', content: authority.certificate.pem },
  ];
  await writeNewFiles(directory, files);
  return { made: created(directory, files, authority.certificate), authority };
}

/** The certificate the gateway presents to plugins. */
export async function makeGateway(settings: Settings, authority: IssuedCertificate, nowMs: number): Promise<Made> {
  const subject = { commonName: 'mcp-gateway-client', organization: ORGANIZATION, organizationalUnit: 'Gateway' };
  const directory = join(settings.directory, 'gateway');
  return makeLeaf({ directory, stem: 'client', request: { subject, purpose: 'client' } }, settings, authority, nowMs);
}

/** The certificate of one plugin server. */
export async function makeServer(
  name: string,
  more: Pick<CertsOptions, 'dnsNames' | 'ipAddresses'>,
  settings: Settings,
  authority: IssuedCertificate,
  nowMs: number,
): Promise<Made> {
  const commonName = `mcp-plugin-${checkPluginName(name)}`;
  const request = {
    subject: { commonName, organization: ORGANIZATION, organizationalUnit: 'Plugins' },
    purpose: 'server',
    dnsNames: [...new Set([name, commonName, 'localhost', ...more.dnsNames])],
    ipAddresses: [...new Set(['127.0.0.1', '::1', ...more.ipAddresses])],
  } as const;
  const directory = join(settings.directory, 'plugins', name);
  return makeLeaf({ directory, stem: 'server', request }, settings, authority, nowMs);
}

/** The certificate of one caller, by common name, e-mail address or SPIFFE id. */
export async function makeClient(
  name: string,
  settings: Settings,
  authority: IssuedCertificate,
  nowMs: number,
): Promise<Made> {
  const { folder, subject, names } = parseClientName(name);
  const directory = join(settings.directory, 'clients', folder);
  const request = {
    subject: { ...subject, organization: ORGANIZATION, organizationalUnit: 'Clients' },
    purpose: 'client',
    ...names,
  } as const;
  const made = await makeLeaf({ directory, stem: 'client', request }, settings, authority, nowMs);
  const { facts } = made.certificate;
  // Different names may share a folder name; never let one caller's certificate pass for another's.
  const own = [...facts.uris, ...facts.emails, facts.subject.split(',')[0]?.replace('CN=', '')];
  if (own.includes(name)) return made;
  throw new GatewayError('name_taken', `${directory} holds the certificate of ${own[0]}, not of ${name}`, {
    hint: 'choose another name, or move that folder away',
  });
}

async function makeLeaf(leaf: Leaf, settings: Settings, authority: IssuedCertificate, nowMs: number): Promise<Made> {
  const { directory, stem, request } = leaf;
  if (await isThere(directory, stem)) {
    const kept = await firstCertificate(join(directory, `${stem}.crt`), 'certificate_unreadable');
    const isForeign = !(await isSignedBy(kept, authority.certificate));
    return { outcome: 'kept', directory, files: [], certificate: kept, isForeign };
  }
  const { notBefore, notAfter } = validity(settings.days, nowMs);
  // A certificate that outlives its authority is refused all the same, only later and with less explanation.
  const end = new Date(Math.min(notAfter.getTime(), Date.parse(authority.certificate.facts.notAfter)));
  const issued = await issueCertificate(authority, { ...request, notBefore, notAfter: end, keyType: settings.keyType });
  const { pem } = issued.certificate;
  const bundle = { name: `${stem}.pem`, content: new Secret(pem + issued.privateKey.reveal()) };
  const files = [
    { name: `${stem}.key`, content: issued.privateKey },
    { name: 'ca.crt', content: authority.certificate.pem },
    ...(stem === 'client' ? [bundle] : []),
    { name: `${stem}.crt`, content: pem },
  ];
  await writeNewFiles(directory, files);
  return created(directory, files, issued.certificate);
}

/** Whether a pair is there; half a pair is neither, and nothing may be written over it. */
async function isThere(directory: string, stem: string): Promise<boolean> {
  const [key, certificate] = await Promise.all([
    exists(join(directory, `${stem}.key`)),
    exists(join(directory, `${stem}.crt`)),
  ]);
  if (key === certificate) return key;
  const [there, missing] = key ? ['key', 'crt'] : ['crt', 'key'];
  throw new GatewayError('config_invalid', `${directory} holds ${stem}.${there} but no ${stem}.${missing}`, {
    hint: `put ${stem}.${missing} beside it, or delete ${directory} to have both made anew`,
  });
}

async function readAuthority(directory: string, nowMs: number): Promise<IssuedCertificate> {
  const certificate = await firstCertificate(join(directory, 'ca.crt'), 'ca_unreadable');
  checkAnchor(certificate, nowMs);
  const path = join(directory, 'ca.key');
  const text = await readTextFile(path);
  try {
    // Through Node's reader, because an authority made by other tools may have its key in PKCS#1 or SEC1.
    const pem = createPrivateKey(text).export({ type: 'pkcs8', format: 'pem' });
    return { certificate, privateKey: new Secret(pem) };
  } catch {
    throw new GatewayError('key_unreadable', `${path} is not an unencrypted private key in PEM form`, {
      hint: 'an encrypted CA key has to be decrypted before certificates can be issued with it',
    });
  }
}

async function firstCertificate(path: string, code: 'certificate_unreadable' | 'ca_unreadable'): Promise<Certificate> {
  const [certificate] = await parseCertificates(await readTextFile(path), code);
  if (!certificate) throw new GatewayError(code, `${path} holds no certificate`);
  return certificate;
}

function validity(days: number, nowMs: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(nowMs - BACKDATED_MS), notAfter: new Date(nowMs + days * DAY_MS) };
}

function created(directory: string, files: readonly NewFile[], certificate: Certificate): Made {
  return { outcome: 'created', directory, files: files.map(({ name }) => name), certificate, isForeign: false };
}
