import { createAuthority, issueCertificate } from '../../src/pki/issue.ts';

/** One private PKI: a CA, a server certificate for 127.0.0.1 and a client certificate, as PEM. */
export interface Material {
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
}

/** Mints the PKI of one run; EC P-256, valid for a day. */
export async function mintMaterial(): Promise<Material> {
  const nowMs = Date.now();
  const common = {
    notBefore: new Date(nowMs - 60_000),
    notAfter: new Date(nowMs + 86_400_000),
    keyType: 'ec-p256',
  } as const;
  const ca = await createAuthority({ ...common, subject: { commonName: 'bench ca' } });
  const issue = async (commonName: string, purpose: 'server' | 'client') => {
    const names = purpose === 'server' ? { ipAddresses: ['127.0.0.1'] } : {};
    const issued = await issueCertificate(ca, { ...common, ...names, subject: { commonName }, purpose });
    return { cert: issued.certificate.pem, key: issued.privateKey.reveal() };
  };
  return { ca: ca.certificate.pem, server: await issue('upstream', 'server'), client: await issue('bench', 'client') };
}
