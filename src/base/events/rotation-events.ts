import type { ErrorCode } from '../errors.ts';
import type { LevelsOf } from './level.ts';

/** Told of what the fleet comes to, and what is believed no more. */
export interface RotationEvents {
  'rotation.written': { readonly generation: number; readonly by: string; readonly reason: string };
  'rotation.noticed': { readonly generation: number; readonly by: string; readonly reason: string };
  /** `lagMs` is the time since it was written, by the clocks of two machines. */
  'rotation.applied': {
    readonly generation: number;
    readonly reason: string;
    readonly durationMs: number;
    readonly lagMs: number;
  };
  /** The first of the reasons; `serving` is the generation in force. */
  'rotation.failed': {
    readonly generation: number;
    readonly reason: string;
    readonly serving: number;
    readonly name: string;
    readonly code: ErrorCode;
    readonly message: string;
  };
  'rotation.store_lost': { readonly code: ErrorCode; readonly message: string };
  'rotation.store_back': { readonly lostMs: number };
  'vault.rotated': { readonly kid: string; readonly resealed: number };
  /** Where revocation is looked up, and what it says is missing or out of date; `source` is an address or a file. */
  'revocation.failing': RevocationSource & { readonly code: ErrorCode; readonly message: string };
  'revocation.recovered': RevocationSource;
  /** A peer that was let in though nobody could say whether its certificate was revoked. */
  'revocation.passed': { readonly side: 'listener' | 'upstream'; readonly peer: string; readonly why: string };
}

interface RevocationSource {
  readonly source: string;
  readonly kind: 'crl' | 'ocsp' | 'staple';
}

/** The level each is logged at. */
export const ROTATION_LEVELS: LevelsOf<RotationEvents> = {
  'rotation.written': 'info',
  'rotation.noticed': 'debug',
  'rotation.applied': 'info',
  'rotation.failed': 'error',
  'rotation.store_lost': 'error',
  'rotation.store_back': 'info',
  'vault.rotated': 'info',
  'revocation.failing': 'warn',
  'revocation.recovered': 'info',
  'revocation.passed': 'warn',
};
