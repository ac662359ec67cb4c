import { optional, setting } from '../setting.ts';
import { commands, integer, list, truth } from '../values.ts';

/** What upstreams may be, and how they are reached. */
export const UPSTREAM_SETTINGS = {
  certDirs: setting<readonly string[]>({
    env: 'POSTERN_CERT_DIRS',
    flag: 'cert-dir',
    placeholder: 'DIR',
    repeatable: true,
    parse: list,
    fallback: [],
    help: 'folders the API may name certificate files in (default: none)',
  }),
  stdioCommands: setting<readonly string[]>({
    env: 'POSTERN_STDIO_COMMANDS',
    flag: 'stdio-command',
    placeholder: 'COMMANDS',
    repeatable: true,
    parse: commands,
    fallback: [],
    help: 'programs an admin may have started as stdio upstreams: absolute paths, or names looked up in PATH (default: none)',
  }),
  stdioMaxProcesses: setting({
    env: 'POSTERN_STDIO_MAX_PROCESSES',
    placeholder: 'COUNT',
    parse: integer(1, 1000),
    fallback: 8,
    help: 'processes one stdio upstream may have for sessions of callers; those shared by all do not count',
  }),
  allowInsecureTls: setting({
    env: 'POSTERN_ALLOW_INSECURE_TLS',
    placeholder: 'BOOLEAN',
    parse: truth,
    fallback: false,
    help: 'allow upstreams with certificate or host name checks switched off',
  }),
  contextCacheMaxSize: setting({
    env: 'SSL_CONTEXT_CACHE_MAX_SIZE',
    placeholder: 'COUNT',
    parse: integer(1, 100_000),
    fallback: 100,
    help: 'idle TLS contexts kept; those of live upstreams do not count',
  }),
  contextCacheTtlSeconds: optional<number>({
    env: 'SSL_CONTEXT_CACHE_TTL',
    placeholder: 'SECONDS',
    parse: integer(1, 31_536_000),
    help: 'seconds an idle TLS context is kept (default: no limit)',
  }),
};
