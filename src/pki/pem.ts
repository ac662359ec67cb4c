import { fromBase64, toBase64 } from '../base/bytes.ts';
import { GatewayError } from '../base/errors.ts';

/** One PEM block: `CERTIFICATE`, `PRIVATE KEY`, … and its text from BEGIN to END, ready for any parser. */
export interface PemBlock {
  readonly label: string;
  readonly pem: string;
}

/** Which field the text came from, as the error code its reader should see. */
export type PemErrorCode = 'certificate_unreadable' | 'ca_unreadable' | 'crl_unreadable' | 'key_unreadable';

/** Longest PEM text taken, in UTF-16 code units: a public root store is a quarter of it. */
export const MAX_PEM_CHARACTERS = 1_048_576;

/** Most blocks in one text. */
export const MAX_PEM_BLOCKS = 500;

const BOUNDARY = /-----(BEGIN|END) ([A-Z0-9][A-Z0-9 ]{0,40})-----/g;
const ALMOST_A_BOUNDARY = /-- ?(?:BEGIN|END)\b|\b(?:BEGIN|END) [A-Z0-9 ]{1,40}--/i;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Splits a PEM text into its blocks, in order. What editors, environment variables and YAML do to PEM is repaired: a
 * byte order mark, CRLF, indentation, line breaks written as `\n` or lost altogether. Text on lines of its own outside
 * blocks is explanation and left out. A text without any block yields none.
 *
 * @throws GatewayError `code` when a boundary or a block's body is damaged, or the text is too large.
 * @see https://www.rfc-editor.org/rfc/rfc7468#section-2
 */
export function splitPem(text: string, code: PemErrorCode = 'certificate_unreadable'): readonly PemBlock[] {
  if (text.length > MAX_PEM_CHARACTERS)
    throw new GatewayError(code, `PEM of ${text.length} characters is over the limit of ${MAX_PEM_CHARACTERS}`);
  const lines = normaliseLines(text);
  const blocks: PemBlock[] = [];
  let open: { label: string; bodyAt: number } | undefined;
  let at = 0;
  for (const match of lines.matchAll(BOUNDARY)) {
    const [boundary, kind, label = ''] = match;
    const between = lines.slice(at, match.index);
    at = match.index + boundary.length;
    if (!open) refuseStray(between, blocks.length > 0, code);
    if (kind === 'BEGIN') {
      if (open) throw damaged(code, `a ${open.label} block has no END line before the next BEGIN`);
      open = { label, bodyAt: at };
    } else {
      if (!open) throw damaged(code, `an END ${label} line has no BEGIN line before it`);
      if (open.label !== label) throw damaged(code, `a ${open.label} block ends as ${label}`);
      blocks.push({ label, pem: rewrap(label, lines.slice(open.bodyAt, match.index), code) });
      open = undefined;
    }
  }
  if (open) throw damaged(code, `a ${open.label} block has no END line; is the text cut off?`);
  refuseStray(`${lines.slice(at)}\n`, blocks.length > 0, code);
  if (blocks.length > MAX_PEM_BLOCKS)
    throw new GatewayError(code, `PEM with ${blocks.length} blocks is over the limit of ${MAX_PEM_BLOCKS}`);
  return blocks;
}

/** PEM of DER bytes under a label. @see https://www.rfc-editor.org/rfc/rfc7468#section-3 */
export function toPem(label: string, der: Uint8Array): string {
  return wrap(label, toBase64(der));
}

/** DER bytes of a block as `splitPem` returns it. */
export function derOfPem(pem: string): Uint8Array<ArrayBuffer> {
  return fromBase64(pem.replaceAll(/-----[^-]*-----|\s/g, ''));
}

function normaliseLines(text: string): string {
  // trim() takes a byte order mark for a blank, as ECMAScript has it
  return text
    .replaceAll(/\\r\\n|\\n|\\r|\r\n|\r/g, '\n')
    .split('\n')
    .map((line) => line.trim())
    .join('\n');
}

/** Text may stand around blocks only on lines of its own, and must not look like a boundary that went wrong. */
function refuseStray(text: string, follows: boolean, code: PemErrorCode): void {
  if (ALMOST_A_BOUNDARY.test(text))
    throw damaged(code, 'a line looks like a BEGIN or END line but is not written like one');
  const trailing = follows ? text.slice(0, text.indexOf('\n')) : '';
  const leading = text.slice(text.lastIndexOf('\n') + 1);
  if (trailing.trim() !== '' || leading.trim() !== '')
    throw damaged(code, 'there is text on the same line as a BEGIN or END line');
}

function rewrap(label: string, body: string, code: PemErrorCode): string {
  // Encrypted keys in the old OpenSSL form carry headers, which belong to the ciphertext: keep their lines.
  if (label.endsWith('PRIVATE KEY') && body.includes(':'))
    return `-----BEGIN ${label}-----\n${body.trim()}\n-----END ${label}-----\n`;
  const base64 = body.replaceAll(/\s/g, '');
  if (base64 === '') throw damaged(code, `a ${label} block is empty`);
  if (!BASE64.test(base64) || base64.length % 4 !== 0) throw damaged(code, `a ${label} block is not base64`);
  return wrap(label, base64);
}

function wrap(label: string, base64: string): string {
  return `-----BEGIN ${label}-----\n${base64.replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END ${label}-----\n`;
}

function damaged(code: PemErrorCode, what: string): GatewayError {
  return new GatewayError(code, `PEM is damaged: ${what}`, {
    hint: 'give the whole text of the file, from the first BEGIN line to the last END line, without quotes around it',
  });
}
