import type { Name } from '@peculiar/x509';
import { fromHex, fromUtf8, toHex, utf8 } from '../base/bytes.ts';

/**
 * A distinguished name as text, most specific part first. Control characters are escaped as well, so that a name can
 * be printed and logged as it is.
 *
 * @see https://www.rfc-editor.org/rfc/rfc4514#section-2
 */
export function distinguishedName(name: Name): string {
  return name
    .toJSON()
    .reverse()
    .map((rdn) =>
      Object.entries(rdn)
        .flatMap(([type, values]) => values.map((value) => `${type}=${escapeValue(value)}`))
        .join('+'),
    )
    .join(',');
}

/**
 * Whether two names are the same for building chains: case and repeated spaces do not matter, nor does the ASN.1
 * string type the issuing tool happened to choose.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-7.1
 */
export function isSameName(a: string, b: string): boolean {
  return foldName(a) === foldName(b);
}

/** The most specific common name in the text of a distinguished name; undefined where there is none. */
export function commonNameIn(distinguishedName: string): string | undefined {
  return attributeIn(distinguishedName, 'CN');
}

/** The most specific value of an attribute in the text of a distinguished name; undefined where there is none. */
export function attributeIn(distinguishedName: string, type: 'CN' | 'O'): string | undefined {
  const attributes = distinguishedName.match(/(?:\\.|[^\\,+])+/gs) ?? [];
  const attribute = attributes.find((text) => text.toUpperCase().startsWith(`${type}=`));
  return attribute === undefined ? undefined : unescapeValue(attribute.slice(type.length + 1));
}

function foldName(name: string): string {
  return name.toLowerCase().replaceAll(/\s+/g, ' ');
}

function unescapeValue(text: string): string {
  return text.replaceAll(/(?:\\[\da-f]{2})+|\\(.)/gis, (escaped, char?: string) =>
    char === undefined ? fromUtf8(fromHex(escaped.replaceAll('\\', ''))) : char,
  );
}

function escapeValue(value: string): string {
  return value
    .replaceAll(/["+,;<>\\]/g, '\\$&')
    .replaceAll(/^[# ]| $/g, '\\$&')
    .replaceAll(/[\p{Cc}\u2028\u2029]/gu, (char) =>
      Array.from(utf8(char), (byte) => `\\${toHex(Uint8Array.of(byte))}`).join(''),
    );
}
