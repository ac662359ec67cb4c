import { optional, setting } from '../setting.ts';
import { integer, limits, oneOf, truth } from '../values.ts';

/** Whether other pages may show ours in a frame. */
export type FrameOptions = 'DENY' | 'SAMEORIGIN';

/** How much callers may ask for, and what browsers are told. */
export const PROTECTION_SETTINGS = {
  limits: optional<string>({
    env: 'POSTERN_LIMITS',
    placeholder: 'RULES',
    parse: limits,
    help: 'rates and concurrency of calls, such as subject=600/minute,burst=50; docs/limits.md shows rules',
  }),
  maxConnections: setting({
    env: 'POSTERN_MAX_CONNECTIONS',
    placeholder: 'COUNT',
    parse: integer(16, 1_000_000),
    fallback: 20_000,
    help: 'connections callers may have open; beyond that the one without a request for the longest is closed',
  }),
  securityHeadersEnabled: setting({
    env: 'SECURITY_HEADERS_ENABLED',
    placeholder: 'BOOLEAN',
    parse: truth,
    fallback: true,
    help: 'whether answers carry headers that keep browsers from doing harm with them',
  }),
  frameOptions: setting<FrameOptions>({
    env: 'X_FRAME_OPTIONS',
    placeholder: 'DENY|SAMEORIGIN',
    parse: oneOf<FrameOptions>({ DENY: 'DENY', SAMEORIGIN: 'SAMEORIGIN' }),
    fallback: 'DENY',
    help: 'whether pages of the same origin may show an answer in a frame',
  }),
  hstsEnabled: setting({
    env: 'HSTS_ENABLED',
    placeholder: 'BOOLEAN',
    parse: truth,
    fallback: true,
    help: 'whether browsers are told to come by HTTPS only, where they did',
  }),
  hstsMaxAgeSeconds: setting({
    env: 'HSTS_MAX_AGE',
    placeholder: 'SECONDS',
    parse: integer(0, 63_072_000),
    fallback: 31_536_000,
    help: 'seconds for which they keep to that; 0 has them forget it',
  }),
};
