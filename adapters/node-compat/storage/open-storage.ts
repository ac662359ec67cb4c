import { GatewayError } from '../../../src/index.ts';
import type { Secret, StorageDriver } from '../../../src/index.ts';
import type { Runtime } from '../runtime.ts';

/** POSTERN_STORAGE schemes that exist, but on another runtime. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'cf-kv': 'Cloudflare Workers',
  d1: 'Cloudflare Workers',
  'deno-kv': 'Deno',
};

const HINT = 'write sqlite:PATH, redis://HOST, rediss://HOST, postgres://HOST/DATABASE or memory:';

/**
 * The store that POSTERN_STORAGE names. Each product's client is loaded when it is asked for.
 *
 * @throws GatewayError config_invalid, capability_unsupported, store_unavailable
 */
export async function openStorage(
  { name, stores }: Pick<Runtime, 'name' | 'stores'>,
  storage: Secret,
): Promise<StorageDriver> {
  const text = storage.reveal();
  const scheme = /^([a-z][a-z0-9+.-]*):/.exec(text)?.[1];
  switch (scheme) {
    case 'memory':
      return (await import('./memory.ts')).openMemory();
    case 'sqlite':
      return (await import('./sqlite.ts')).openSqlite(parseSqlitePath(text));
    case 'redis':
    case 'rediss':
      return (await import('./redis.ts')).openRedis(requireUrl(storage, scheme));
    case 'postgres':
    case 'postgresql':
      return (await import('./postgres.ts')).openPostgres(requireUrl(storage, scheme));
    default: {
      const own = named(stores, scheme);
      if (own === undefined) throw refuseScheme(scheme, name);
      return own(storage);
    }
  }
}

function parseSqlitePath(text: string): string {
  const path = text.slice('sqlite:'.length);
  // sqlite:///x means /x to some and ./x to others
  if (path === '' || path.startsWith('//'))
    throw new GatewayError(
      'config_invalid',
      'expected a storage of the form sqlite:PATH, met no path or slashes before it',
      {
        hint: 'write sqlite:./data/postern.db or sqlite:/var/lib/postern/postern.db',
      },
    );
  return path;
}

/** Checked here because a client's own error for a bad URL quotes it, password included. */
function requireUrl(storage: Secret, scheme: string): Secret {
  if (URL.canParse(storage.reveal())) return storage;
  throw new GatewayError('config_invalid', `expected a ${scheme}: URL as storage, met a text that is no URL`, {
    hint: `percent-encode special characters in the password; ${HINT}`,
  });
}

function refuseScheme(scheme: string | undefined, name: string): GatewayError {
  const runtime = named(ELSEWHERE, scheme);
  if (runtime !== undefined)
    return new GatewayError('capability_unsupported', `storage ${scheme}: exists on ${runtime}, not on ${name}`, {
      hint: HINT,
    });
  const met = scheme === undefined ? 'a text without one' : `${scheme}:`;
  return new GatewayError('config_invalid', `expected a storage scheme this runtime knows, met ${met}`, { hint: HINT });
}

function named<T>(table: Readonly<Record<string, T>>, scheme: string | undefined): T | undefined {
  return scheme !== undefined && Object.hasOwn(table, scheme) ? table[scheme] : undefined;
}
