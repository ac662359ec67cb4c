import { fromBase64, fromUtf8 } from '../base/bytes.ts';
import type { Fields } from '../base/fields.ts';
import { mayBeCredential } from '../upstream/credentials.ts';
import { Hidden } from './hidden.ts';
import type { Findings } from './imported-entry.ts';
import { hide, shownFrom } from './variables.ts';
import type { Filled } from './variables.ts';

/** A header of a file: its name and its value. */
export type FileHeader = readonly [name: string, value: Filled];

/**
 * Headers every request is to carry, as the way a gateway logs in: `bearer`, `basic` or `authheaders`. Those the gateway
 * sets itself are left out.
 */
export function authOfHeaders(headers: readonly FileHeader[], findings: Findings): Fields {
  const kept = headers.filter(([name, value]) => isWanted(name, value, findings));
  const [only, ...others] = kept;
  if (only === undefined) return {};
  const single = others.length === 0 && only[0].toLowerCase() === 'authorization' ? authorization(only[1]) : undefined;
  if (single !== undefined) return single;
  return { authType: 'authheaders', authHeaders: kept.map(([key, value]) => ({ key, value: hide(value, trimmed) })) };
}

function isWanted(name: string, { text, template }: Filled, { changes, problems }: Findings): boolean {
  if (!mayBeCredential(name.toLowerCase())) {
    changes.push(`the header ${JSON.stringify(name)} is left out: no credential goes there`);
    return false;
  }
  if ((text ?? template).trim() === '')
    problems.push({ kind: 'secret', name: `auth_headers.${name}`, message: `the header ${name} is empty in the file` });
  return true;
}

function authorization({ text, template, sources }: Filled): Fields | undefined {
  const value = (text ?? template).trim();
  const [, token] = /^bearer\s+(\S+)$/i.exec(value) ?? [];
  if (token !== undefined) return { authType: 'bearer', authToken: new Hidden(token, shownFrom(sources)) };
  const [, user, password] = /^([^:]+):([^]*)$/.exec(decoded(/^basic\s+(\S+)$/i.exec(value)?.[1] ?? '')) ?? [];
  if (user === undefined || password === undefined) return undefined;
  const [authUsername, authPassword] = [user, password].map((part) => new Hidden(part, shownFrom(sources)));
  return { authType: 'basic', authUsername, authPassword };
}

function decoded(base64: string): string {
  try {
    return fromUtf8(fromBase64(base64));
  } catch {
    return '';
  }
}

const trimmed = (text: string): string => text.trim();
