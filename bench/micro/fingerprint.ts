import { deepEqual } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { bench, do_not_optimize as keep, summary } from 'mitata';
import { fingerprintOf, type ProfileParts } from '../../src/tls/fingerprint.ts';
import { createAuthority, issueCertificate } from '../../src/pki/issue.ts';

/** Every field the encoding names, in its order, as `label, values`; written down a second time on purpose. */
function fieldsOf({ identity, trust, ...rest }: ProfileParts): [string, Uint8Array[]][] {
  const text = (value: string): Uint8Array => Buffer.from(value);
  return [
    ['profile', [text('postern/1')]],
    ['chain', identity?.chain.map(({ der }) => der) ?? []],
    ['key', identity && 'publicKey' in identity ? [identity.publicKey] : []],
    ['trust', [text(trust.mode)]],
    ['anchors', trust.mode === 'system' ? [] : trust.anchors.map(({ der }) => der)],
    ['server-name', []],
    ['check-hostname', [text(String(rest.checkHostname))]],
    ['verify', [text(String(rest.verify))]],
    ['min-version', [text(rest.minVersion)]],
    ['crls', []],
    ['pins', []],
  ];
}

function nativeFingerprint(parts: ProfileParts): string {
  const hash = createHash('sha256');
  const number = Buffer.alloc(4);
  const update = (bytes: Uint8Array): void => {
    number.writeUInt32BE(bytes.length);
    hash.update(number).update(bytes);
  };
  for (const [label, values] of fieldsOf(parts)) {
    update(Buffer.from(label));
    number.writeUInt32BE(values.length);
    hash.update(number);
    values.forEach(update);
  }
  return hash.digest('hex');
}

/** Naming a profile with one anchor and one client certificate, beside Node's own SHA-256 over the same bytes. */
export async function benchFingerprint(): Promise<void> {
  const common = { notBefore: new Date(0), notAfter: new Date(4e12), keyType: 'ec-p256' } as const;
  const ca = await createAuthority({ ...common, subject: { commonName: 'bench ca' } });
  const client = await issueCertificate(ca, { ...common, subject: { commonName: 'bench' }, purpose: 'client' });
  const parts: ProfileParts = {
    identity: {
      chain: [client.certificate],
      privateKey: client.privateKey,
      publicKey: client.certificate.publicKey,
    },
    trust: { mode: 'only', anchors: [ca.certificate] },
    serverName: undefined,
    checkHostname: true,
    verify: true,
    minVersion: 'TLSv1.2',
    crls: [],
    pins: [],
  };
  deepEqual(fingerprintOf(parts) as string, nativeFingerprint(parts));

  summary(() => {
    bench('fingerprint: native SHA-256', () => keep(nativeFingerprint(parts)));
    bench('fingerprint: of a profile', () => keep(fingerprintOf(parts)));
  });
}
