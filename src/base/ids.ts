import { toBase64Url } from './bytes.ts';

/** A fresh identifier of 128 random bits as base64url: 22 characters, safe in URLs and storage keys. */
export function newId(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(16)));
}

/** The address form of a name: lower-case ASCII letters, digits and single dashes; `''` when nothing is left. */
export function slugOf(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[\u0300-\u036f]/g, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
}
