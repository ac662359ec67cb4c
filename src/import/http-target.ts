import type { Fields } from '../base/fields.ts';
import { toBase64, utf8 } from '../base/bytes.ts';
import { authOfHeaders } from './header-auth.ts';
import type { FileHeader } from './header-auth.ts';
import { Hidden } from './hidden.ts';
import type { Findings } from './imported-entry.ts';
import { shownFrom } from './variables.ts';
import type { Filled } from './variables.ts';

/** A server that is reached over HTTP, as a file describes it. */
export interface HttpTarget {
  readonly url: Filled;
  readonly headers: readonly FileHeader[];
  /** Absent where the file leaves it open. */
  readonly transport?: 'STREAMABLEHTTP' | 'SSE' | undefined;
}

const PARAMETER = /[?&]([^=&#]+)=([^&#]*)/g;
const SECRET_NAME = /key|token|secret|passw|auth|credential|signature/i;

/** The fields of a gateway for a server behind a URL. What is secret in the URL becomes a credential where it can. */
export function httpFields({ url, headers, transport }: HttpTarget, findings: Findings): Fields {
  const parsed = parse(url, findings);
  const all = [...headers, ...userInfo(parsed, url, headers, findings)];
  const auth = authOfHeaders(all, findings);
  const query = auth['authType'] === undefined ? queryAuth(parsed, url, findings) : {};
  return {
    url: shownUrl(parsed, url),
    ...(transport && { transport }),
    ...auth,
    ...query,
  };
}

/** Undefined while a variable is missing, or when it is no URL, which is reported. */
function parse({ text }: Filled, { problems, changes }: Findings): URL | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text.trim());
  if (url === null || !/^https?:$/.test(url.protocol)) {
    problems.push({ kind: 'invalid', name: 'url', message: 'expected an absolute http or https URL' });
    return undefined;
  }
  if (url.hash !== '') {
    url.hash = '';
    changes.push('the fragment of the URL is left out');
  }
  return url;
}

/** A user name and password in the URL become a header; the URL is kept without them. */
function userInfo(
  url: URL | undefined,
  { sources }: Filled,
  headers: readonly FileHeader[],
  { changes }: Findings,
): readonly FileHeader[] {
  if (url === undefined || (url.username === '' && url.password === '')) return [];
  const [user, password] = [url.username, url.password].map(unescaped);
  url.username = '';
  url.password = '';
  if (headers.some(([name]) => name.toLowerCase() === 'authorization')) {
    changes.push('user name and password of the URL are left out: there is an Authorization header');
    return [];
  }
  changes.push('user name and password of the URL become credentials');
  const text = `Basic ${toBase64(utf8(`${user}:${password}`))}`;
  return [['Authorization', { text, template: text, sources }]];
}

/** The one parameter that holds a variable or is named like a secret; with more of them the URL stays as it is. */
function queryAuth(url: URL | undefined, { template, sources }: Filled, { changes }: Findings): Fields {
  if (url === undefined) return {};
  const suspects = [...template.matchAll(PARAMETER)].flatMap(([, name = '', value = '']) =>
    value.includes('{') || SECRET_NAME.test(name) || /^key$/i.test(name) ? [unescaped(name)] : [],
  );
  const [name, ...others] = new Set(suspects);
  if (name === undefined) return {};
  const value = url.searchParams.get(name);
  if (others.length > 0 || !value) {
    changes.push('the URL is kept with its parameters, which are stored in the clear');
    return {};
  }
  url.searchParams.delete(name);
  changes.push(`the parameter ${name} of the URL becomes a credential`);
  return {
    authType: 'query_param',
    authQueryParamKey: name,
    authQueryParamValue: new Hidden(value, shownFrom(sources)),
  };
}

/** As it stands in the file where it has variables; parameters and passwords are never shown. */
function shownUrl(url: URL | undefined, { template, sources, text }: Filled): string | Hidden {
  const href = url?.href ?? text ?? '';
  const masked = maskUrl(sources.length === 0 && url !== undefined ? url.href : template);
  return masked === href ? href : new Hidden(href, masked);
}

/** A URL, or what should be one, without passwords and values of parameters. */
export function maskUrl(text: string): string {
  return text
    .replace(/:\/\/[^/?#@]*@/, '://*****@')
    .replaceAll(PARAMETER, (match, name: string) => `${match[0]}${name}=*****`);
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
