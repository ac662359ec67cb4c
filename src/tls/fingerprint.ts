import { sha256 } from '@noble/hashes/sha2.js';
import { toHex, utf8 } from '../base/bytes.ts';
import type { ProfileFingerprint, TlsProfile } from './profile.ts';

/** A profile before it has a name. */
export type ProfileParts = Omit<TlsProfile, 'fingerprint'>;

/**
 * Names a profile by everything that decides its handshakes. Injective before hashing: each field is its label, the
 * number of its values and the values, each with its length in front, so that no two profiles encode alike. The order
 * of anchors, CRLs and pins does not matter, nor does saying one twice; the order of the chain does. A key is named by
 * the public half derived from it.
 */
export function fingerprintOf(parts: ProfileParts): ProfileFingerprint {
  const { identity, trust } = parts;
  const fields: readonly (readonly [label: string, values: readonly Uint8Array[]])[] = [
    ['profile', [utf8('postern/1')]],
    ['chain', identity?.chain.map(({ der }) => der) ?? []],
    ['key', identity && 'publicKey' in identity ? [identity.publicKey] : []],
    ['trust', [utf8(trust.mode)]],
    ['anchors', trust.mode === 'system' ? [] : asSet(trust.anchors.map(({ der }) => der))],
    ['server-name', parts.serverName === undefined ? [] : [utf8(parts.serverName)]],
    ['check-hostname', [utf8(String(parts.checkHostname))]],
    ['verify', [utf8(String(parts.verify))]],
    ['min-version', [utf8(parts.minVersion)]],
    ['crls', asSet(parts.crls.map(utf8))],
    ['pins', asSet(parts.pins.map(utf8))],
    // last and only where there is one: what was named before it existed keeps its name
    ...(parts.ocsp ? [['ocsp', []] as const] : []),
    ...(identity && 'binding' in identity ? [['binding', [utf8(identity.binding)]] as const] : []),
  ];
  const hash = sha256.create();
  for (const [label, values] of fields) {
    hash.update(sized(utf8(label))).update(uint32(values.length));
    for (const value of values) hash.update(sized(value));
  }
  // The one place that mints the brand.
  return toHex(hash.digest()) as ProfileFingerprint;
}

function asSet(values: readonly Uint8Array[]): readonly Uint8Array[] {
  const byHex = new Map(values.map((value) => [toHex(value), value]));
  return [...byHex].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

function sized(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(4 + bytes.length);
  out.set(uint32(bytes.length));
  out.set(bytes, 4);
  return out;
}

function uint32(value: number): Uint8Array {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value);
  return out;
}
