import type { ErrorCode } from '../base/errors.ts';
import type { RotationScope } from './generation.ts';

/** Something of a generation that is not in force here. */
export interface RotationProblem {
  /** The key of the record (`gateway:<id>`); a name of its own for what is no record; undefined where all may be meant. */
  readonly subject: string | undefined;
  /** How people know it: a slug, or the name of a participant. */
  readonly name: string;
  readonly code: ErrorCode;
  readonly message: string;
  /** Present and true while it may still come into force by itself: a server has not answered yet. */
  readonly pending?: true;
}

/** What an instance has to do to come to a generation. */
export interface RotationStep {
  /** What may have changed; what is outside was not. */
  readonly scope: RotationScope;
  /** Whose connections are to be ended. */
  readonly cuts: RotationScope;
}

/** A part of the gateway that reads anew what it was made of. */
export interface RotationParticipant {
  readonly name: string;
  /**
   * Puts in force what can be, and keeps the last good form of the rest; true when anything is in force now that was
   * not before. What it throws counts as its problem.
   */
  apply(step: RotationStep): Promise<boolean>;
  /** What is not in force as it should be, now. */
  problems(): readonly RotationProblem[];
  /** The files it reads. */
  files(): readonly string[];
}
