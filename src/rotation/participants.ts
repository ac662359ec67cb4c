import { toGatewayError } from '../base/errors.ts';
import type { RotationParticipant, RotationProblem, RotationStep } from './participant.ts';

/** Every part that rotates. */
export class Participants {
  readonly #all: RotationParticipant[] = [];
  /** What made a participant fail as a whole, by its name. */
  readonly #failed = new Map<string, RotationProblem>();

  add(participant: RotationParticipant): void {
    this.#all.push(participant);
  }

  /** Whether a part failed as a whole, and is to be asked again. */
  get isIncomplete(): boolean {
    return this.#failed.size > 0;
  }

  /** All side by side; one fails without the others. True when anything came into force. */
  async apply(step: RotationStep): Promise<boolean> {
    const changed = await Promise.all(this.#all.map((participant) => this.#apply(participant, step)));
    return changed.includes(true);
  }

  problems(): readonly RotationProblem[] {
    return [...this.#failed.values(), ...this.#all.flatMap((participant) => participant.problems())];
  }

  files(): readonly string[] {
    return [...new Set(this.#all.flatMap((participant) => participant.files()))];
  }

  async #apply(participant: RotationParticipant, step: RotationStep): Promise<boolean> {
    const { name } = participant;
    try {
      const changed = await participant.apply(step);
      this.#failed.delete(name);
      return changed;
    } catch (error) {
      const { code, message } = toGatewayError(error);
      this.#failed.set(name, { subject: undefined, name, code, message });
      return false;
    }
  }
}
