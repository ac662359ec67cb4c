import { toGatewayError } from '../base/errors.ts';
import { isAbsolutePath, isBareName } from '../base/program-name.ts';
import { Secret } from '../base/secret.ts';
import { canonicalPin } from '../base/pin.ts';
import { isIssuerUrl } from '../identity/issuers/issuer-url.ts';
import { isProxyEntry } from '../identity/proxy/trusted-proxies.ts';
import { parseSubjectRule } from '../identity/subject-rules.ts';
import { readLimits } from '../limits/short-form.ts';

/** A setting's text read as its type, or what was expected instead. */
export type Parsed<T> = { readonly value: T } | { readonly expected: string };

/** A setting as it was written; a list given as such (repeated flag, YAML sequence) is an array. */
export type Raw = string | readonly string[];

/** Reads one setting. */
export type ValueParser<T> = (raw: Raw) => Parsed<T>;

/** A parser for settings that are one text; several are refused. */
const single =
  <T>(parse: (text: string) => Parsed<T>): ValueParser<T> =>
  (raw) =>
    typeof raw === 'string' ? parse(raw) : { expected: 'one value' };

/** Any text. */
export const text: ValueParser<string> = single((raw) => ({ value: raw }));

/** Any text, kept from being printed. */
export const secret: ValueParser<Secret> = single((raw) => ({ value: new Secret(raw) }));

const TRUE = new Set(['true', '1', 'yes', 'on']);
const FALSE = new Set(['false', '0', 'no', 'off']);

/** A switch, in any of the words people use for it. */
export const truth: ValueParser<boolean> = single((raw) => {
  const word = raw.toLowerCase();
  if (TRUE.has(word)) return { value: true };
  return FALSE.has(word) ? { value: false } : { expected: 'true or false' };
});

/** Several texts: comma-separated, repeated, or a YAML sequence. */
export const list: ValueParser<readonly string[]> = (raw) => {
  const parts = typeof raw === 'string' ? raw.split(',') : raw.flatMap((part) => part.split(','));
  return { value: Object.freeze(parts.map((part) => part.trim()).filter((part) => part !== '')) };
};

/** Files and http or https URLs; a URL is fetched by whoever reads it, so a password in it would be no secret. */
export const listSources: ValueParser<readonly string[]> = (raw) => {
  const parsed = list(raw);
  const fine = 'value' in parsed && parsed.value.every((source) => !source.includes('://') || isPlainUrl(source));
  return fine ? parsed : { expected: 'paths of files, and http or https URLs without user name and password' };
};

const isPlainUrl = (text: string): boolean => {
  const { protocol = '', username, password } = URL.parse(text) ?? {};
  return /^https?:$/.test(protocol) && username === '' && password === '';
};

/** Programs by absolute path or bare name: a relative path would mean another program in another folder. */
export const commands: ValueParser<readonly string[]> = (raw) => {
  const parsed = list(raw);
  const fine = 'value' in parsed && parsed.value.every((name) => isAbsolutePath(name) || isBareName(name));
  return fine ? parsed : { expected: 'absolute paths or bare names of programs' };
};

/** Who may speak for others, as networks, addresses and subjects of certificates. */
export const proxies: ValueParser<readonly string[]> = (raw) => {
  const parsed = list(raw);
  const fine = 'value' in parsed && parsed.value.length > 0 && parsed.value.every(isProxyEntry);
  return fine ? parsed : { expected: 'networks such as 10.1.0.0/16, addresses, or cert:SUBJECT' };
};

/** Ways to the name in a certificate, in their order. */
export const subjectRules: ValueParser<readonly string[]> = (raw) => {
  const parsed = list(raw);
  const fine = 'value' in parsed && parsed.value.length > 0 && parsed.value.every(parseSubjectRule);
  return fine
    ? parsed
    : { expected: 'rules of uri, dns, email and cn, as in `uri=spiffe://example.org/*, Partners CA/dns`' };
};

/** Pins of public keys, or one file that holds them. */
export const pinsOrFile: ValueParser<readonly string[]> = (raw) => {
  const parsed = list(raw);
  const fine = 'value' in parsed && (parsed.value.length === 1 || parsed.value.every(canonicalPin));
  return fine ? parsed : { expected: 'pins such as sha256/BASE64, or one file of them' };
};

/** Cipher suites by the names OpenSSL has for them, with colons or commas between. */
export const ciphers: ValueParser<readonly string[]> = (raw) => {
  const parsed = list(typeof raw === 'string' ? raw.replaceAll(':', ',') : raw);
  const fine = 'value' in parsed && parsed.value.length > 0 && parsed.value.every((name) => /^[A-Z\d_-]+$/i.test(name));
  return fine
    ? parsed
    : { expected: 'names of cipher suites, as in ECDHE-ECDSA-AES256-GCM-SHA384:TLS_AES_256_GCM_SHA384' };
};

/** Limits as one text, or a rule of the short form each. */
export const limits: ValueParser<string> = (raw) => {
  const value = typeof raw === 'string' ? raw : raw.join(';');
  try {
    readLimits(value);
    return { value };
  } catch (error) {
    return { expected: `limits that can be read (${toGatewayError(error).message})` };
  }
};
/** Issuers of tokens, letter by letter as they name themselves. */
export const issuers: ValueParser<readonly string[]> = (raw) => {
  const parsed = list(raw);
  const fine = 'value' in parsed && parsed.value.every(isIssuerUrl);
  return fine ? parsed : { expected: 'https URLs without query or fragment; http on loopback only' };
};

/** Scheme, host and port, without a slash at the end. */
export const origin: ValueParser<string> = single((raw) => {
  const url = URL.canParse(raw) && /^https?:$/.test(new URL(raw).protocol) ? new URL(raw) : undefined;
  return url && [url.origin, `${url.origin}/`].includes(raw.toLowerCase())
    ? { value: url.origin }
    : { expected: 'a URL of scheme, host and port alone, as https://gateway.example.com' };
});

/** Headers that mean something else already. */
const TAKEN =
  /^(?:authorization|cookie|host|origin|connection|upgrade|forwarded|x-forwarded-(?:for|host|port|proto)|x-real-ip|(?:x-)?ssl-client-verify|client-cert-chain|x-user-organization|(?:content|mcp|sec)-.*)$/i;

/** A header for the name of the caller; with an underscore some proxies let it pass beside their own. */
export const userHeader: ValueParser<string> = single((raw) =>
  /^[a-z\d-]+$/i.test(raw) && !TAKEN.test(raw)
    ? { value: raw }
    : { expected: 'the name of a header for callers, of letters, digits and dashes' },
);

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number): ValueParser<number> {
  return single((raw) => {
    const value = /^\d+$/.test(raw) ? Number(raw) : Number.NaN;
    return value >= min && value <= max ? { value } : { expected: `a whole number from ${min} to ${max}` };
  });
}

/** One of the keys of `words`, in any case, as the value it stands for. */
export function oneOf<T>(words: Readonly<Record<string, T>>): ValueParser<T> {
  const known = new Map(Object.entries(words).map(([word, value]) => [word.toLowerCase(), value]));
  return single((raw) => {
    const value = known.get(raw.toLowerCase());
    return value === undefined ? { expected: `one of ${Object.keys(words).join(', ')}` } : { value };
  });
}

/** Several of a few words. */
export function someOf<T extends string>(words: readonly T[]): ValueParser<readonly T[]> {
  const isKnown = (word: string): word is T => (words as readonly string[]).includes(word);
  return (raw) => {
    const parsed = list(raw);
    const known = 'value' in parsed ? parsed.value.filter(isKnown) : [];
    return 'value' in parsed && known.length === parsed.value.length
      ? { value: known }
      : { expected: `some of ${words.join(', ')}` };
  };
}

type Scalar = string | number | boolean | bigint;

const isScalar = (value: unknown): value is Scalar => ['string', 'number', 'boolean', 'bigint'].includes(typeof value);

/** A YAML scalar or sequence as the text it was written as; undefined for null, and for what is neither. */
export function rawOf(value: unknown): Raw | undefined {
  if (isScalar(value)) return String(value);
  return Array.isArray(value) && value.every(isScalar) ? value.map(String) : undefined;
}

/** Which of them there are on a runtime, its adapter knows. */
const STORES = /^(?:sqlite:.+|memory:|rediss?:\/\/.+|postgres(?:ql)?:\/\/.+|deno-kv:.*|(?:d1|cf-kv):\w+)$/;

/** Where records live; a secret because it may hold a password. */
export const storageUrl: ValueParser<Secret> = single((raw) =>
  STORES.test(raw)
    ? { value: new Secret(raw) }
    : { expected: 'sqlite:FILE, redis://…, rediss://…, postgres://…, deno-kv:, d1:BINDING, cf-kv:BINDING or memory:' },
);
