import type { ErrorCode } from '../errors.ts';
import type { LevelsOf } from './level.ts';

/** Told of the process itself, its settings, its store and what it hands to libraries. */
export interface GatewayEvents {
  'gateway.started': { readonly gateways: number };
  'gateway.stopping': { readonly reason: string; readonly inFlight: number };
  'gateway.stopped': { readonly cut: number };
  'gateway.first_start': { readonly dataDir: string; readonly next: string };
  'config.warned': { readonly setting: string; readonly message: string };
  'keys.generated': { readonly what: 'vault' | 'signing'; readonly path: string };
  /** Changes below this folder are found at the next look only; without `path` the system watches no more folders. */
  'files.unwatched': { readonly path?: string; readonly code: string };
  'record.refused': { readonly record: string; readonly code: ErrorCode; readonly message: string };
  'server.saved': { readonly server: string };
  'server.removed': { readonly server: string };
  /** Records of audit cannot be kept at the moment. */
  'audit.failed': { readonly code: ErrorCode; readonly message: string };
  'audit.recovered': { readonly failedMs: number };
  'task.failed': { readonly task: string; readonly message: string };
  /** Something a library would have printed; only what is known to be safe of it. */
  'library.printed': { readonly message: string };
}

/** The level each is logged at. */
export const GATEWAY_LEVELS: LevelsOf<GatewayEvents> = {
  'gateway.started': 'info',
  'gateway.stopping': 'info',
  'gateway.stopped': 'info',
  'gateway.first_start': 'warn',
  'config.warned': 'warn',
  'keys.generated': 'warn',
  'files.unwatched': 'warn',
  'record.refused': 'error',
  'server.saved': 'info',
  'server.removed': 'info',
  'audit.failed': 'error',
  'audit.recovered': 'warn',
  'task.failed': 'error',
  'library.printed': 'debug',
};
