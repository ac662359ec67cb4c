import { createAuthority, issueCertificate } from '../../../../src/index.ts';

/** A certificate and its private key, as PEM. */
export interface PemIdentity {
  readonly commonName: string;
  readonly cert: string;
  readonly key: string;
}

/** A private PKI: one authority, a server for `localhost`, and the gateway's present and coming client identity. */
export interface DemoPki {
  readonly authority: string;
  readonly caCertificate: string;
  readonly server: PemIdentity;
  readonly first: PemIdentity;
  readonly second: PemIdentity;
}

const DAY_MS = 86_400_000;
// the clocks of virtual machines on one host may differ by a little
const BACKDATED_MS = 60_000;

/** Mints everything anew, in memory; valid for one day. */
export async function mintDemoPki(): Promise<DemoPki> {
  const nowMs = Date.now();
  const common = {
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + DAY_MS),
    keyType: 'ec-p256',
  } as const;
  const authority = 'demo-ca';
  const ca = await createAuthority({ ...common, subject: { commonName: authority } });
  const issue = async (commonName: string, purpose: 'server' | 'client'): Promise<PemIdentity> => {
    const names = purpose === 'server' ? { dnsNames: ['localhost'] } : {};
    const issued = await issueCertificate(ca, { ...common, ...names, subject: { commonName }, purpose });
    return { commonName, cert: issued.certificate.pem, key: issued.privateKey.reveal() };
  };
  return {
    authority,
    caCertificate: ca.certificate.pem,
    server: await issue('demo-server', 'server'),
    first: await issue('gateway-first', 'client'),
    second: await issue('gateway-second', 'client'),
  };
}
