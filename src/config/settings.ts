/**
 * config: the settings, one row each, and the forms their values take.
 *
 * Owns names, defaults and help. Must not know where a value came from, nor what the gateway does with it.
 */
import { AUDIT_SETTINGS } from './rows/audit.ts';
import { CALLER_SETTINGS } from './rows/callers.ts';
import { LISTENER_TLS_SETTINGS } from './rows/listener-tls.ts';
import { INSTANCE_SETTINGS } from './rows/instance.ts';
import { PROTECTION_SETTINGS } from './rows/protection.ts';
import { TIME_SETTINGS } from './rows/times.ts';
import { UPSTREAM_SETTINGS } from './rows/upstreams.ts';
import type { Setting } from './setting.ts';

/** Every setting of this version; the order is the order of help. */
export const SETTINGS = {
  ...INSTANCE_SETTINGS,
  ...LISTENER_TLS_SETTINGS,
  ...CALLER_SETTINGS,
  ...PROTECTION_SETTINGS,
  ...UPSTREAM_SETTINGS,
  ...TIME_SETTINGS,
  ...AUDIT_SETTINGS,
};

/** The name of a setting in code. */
export type SettingName = keyof typeof SETTINGS;

/** The settings as pairs of name and row, for those who treat all alike. */
export const SETTING_ROWS = Object.entries(SETTINGS) as unknown as readonly (readonly [
  SettingName,
  Setting<unknown>,
])[];

/** The value of every setting. */
export type SettingValues = {
  readonly [Name in SettingName]: (typeof SETTINGS)[Name] extends Setting<infer T> ? T : never;
};

/** Variables the command line reads for itself: they are known, but configure no gateway. */
export const CLIENT_VARIABLES = ['POSTERN_URL', 'POSTERN_TOKEN', 'POSTERN_CLIENT_KEY_PASSWORD'] as const;
