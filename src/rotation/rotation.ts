import type { Clock } from '../base/clock.ts';
import { toGatewayError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { RecordChange } from '../store/records.ts';
import { cutsSince, isInScope } from './generation.ts';
import type { Generation, RotationNote, RotationScope } from './generation.ts';
import type { Generations } from './generations.ts';
import type { RotationParticipant, RotationProblem } from './participant.ts';
import { Participants } from './participants.ts';
import type { StoreLink } from './store-link.ts';

export interface RotationOptions {
  readonly generations: Generations;
  readonly store: StoreLink;
  readonly clock: Clock;
  readonly events: EventSink;
}

/** How far this instance is. */
export interface RotationStatus {
  /** The newest generation known here; undefined before the first. */
  readonly generation: Generation | undefined;
  /** The number of the one in force here; 0 before the first. */
  readonly inForce: number;
  /** When it came into force here, milliseconds since the epoch. */
  readonly inForceAtMs: number;
  /** Everything that is not in force as it should be, also what earlier generations left. */
  readonly problems: readonly RotationProblem[];
  /** Those of them the newest generation is about: while there are any, it is not in force here. */
  readonly failing: readonly RotationProblem[];
  /** Since when the store cannot be read, milliseconds since the epoch. */
  readonly storeLostAtMs: number | undefined;
}

/** Brings this instance to the generation that is stored, and writes the next one. */
export class Rotation {
  readonly #options: RotationOptions;
  readonly #participants = new Participants();
  readonly #listeners: (() => void)[] = [];
  #generation: Generation | undefined;
  /** The one up to which everything was tried; undefined before the first. */
  #tried: Generation | undefined;
  #inForce: { readonly generation: Generation | undefined; readonly atMs: number } = {
    generation: undefined,
    atMs: 0,
  };
  /** The last one that was reported to have failed. */
  #failed: Generation | undefined;
  #running: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | undefined;
  #wantsEverything = false;

  constructor(options: RotationOptions) {
    this.#options = options;
  }

  /** Adds a part that rotates. */
  join(participant: RotationParticipant): void {
    this.#participants.add(participant);
  }

  /** The files that were read, for who watches them. */
  get files(): readonly string[] {
    return this.#participants.files();
  }

  /** Has `listener` told each time this instance came to a generation, or failed to. */
  follow(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Takes the stored generation for what is going to be loaded next; one that cannot be believed counts for none, and is
   * reported.
   *
   * @throws GatewayError store_unavailable
   */
  async begin(): Promise<void> {
    const { generations, store, clock } = this.#options;
    this.#generation = await store.unlessGone(() => generations.read());
    this.#tried = this.#generation;
    this.#inForce = { generation: this.#tried, atMs: clock.nowMs() };
  }

  /** Once what `begin` took was loaded by every part: what could not be is told of, and keeps it from being in force. */
  loaded(): void {
    if (this.status.failing.length === 0) return;
    this.#inForce = { generation: undefined, atMs: 0 };
    this.settle();
  }

  get status(): RotationStatus {
    const problems = this.#participants.problems();
    return {
      generation: this.#generation,
      inForce: this.#inForce.generation?.number ?? 0,
      inForceAtMs: this.#inForce.atMs,
      problems,
      failing: problems.filter(({ subject }) => this.#concerns(subject)),
      storeLostAtMs: this.#options.store.lostAtMs,
    };
  }

  /**
   * Writes changes with the generation that says so, in one commit, and has them put in force here.
   *
   * @returns false when a change expected a version that is not there; then nothing was written
   * @throws GatewayError store_unavailable
   */
  async commit(changes: readonly RecordChange[], note: RotationNote, putInForce: () => void): Promise<boolean> {
    const generation = await this.#options.generations.write(changes, note);
    if (generation === undefined) return false;
    putInForce();
    this.#tellWritten(generation);
    if (this.#isNext(generation)) this.#conclude(generation);
    else void this.come();
    return true;
  }

  /** Writes a generation that has every instance read anew, and comes to it. @throws GatewayError store_unavailable */
  async request(note: RotationNote): Promise<Generation> {
    const generation = await this.#options.generations.write([], note);
    if (generation === undefined) throw new Error('a generation without changes always fits');
    this.#tellWritten(generation);
    await this.come();
    return generation;
  }

  /** As `request`, but here also while the store is gone. Never rejects. */
  async requestAnyway(note: RotationNote): Promise<void> {
    if ((await this.#options.store.attempt(() => this.request(note), 'write')) === undefined) await this.recheck();
  }

  /** Comes to the stored generation, if it is another one. Never rejects. */
  come(): Promise<void> {
    return this.#queue(false);
  }

  /** Reads everything anew whatever is stored, and where that changed something has the others do it too. Never rejects. */
  recheck(): Promise<void> {
    return this.#queue(true);
  }

  /** Takes note of what came into force, or failed to, since it was tried: slow servers, and what others repaired. */
  settle(): void {
    const generation = this.#generation;
    if (generation && this.#inForce.generation?.id !== generation.id && this.#tried?.id === generation.id)
      this.#report(generation, 0);
  }

  /** One run at a time; asked for while one runs, it runs once more, since what it read may have changed after. */
  #queue(everything: boolean): Promise<void> {
    this.#wantsEverything ||= everything;
    if (this.#waiting) return this.#waiting;
    const next = this.#running.then(() => {
      const wanted = this.#wantsEverything;
      this.#waiting = undefined;
      this.#wantsEverything = false;
      return this.#come(wanted);
    });
    // a run that breaks must not be the last one
    const settled = next.catch((error: unknown) =>
      this.#options.events('task.failed', { task: 'rotation', message: toGatewayError(error).message }),
    );
    this.#waiting = settled;
    this.#running = settled;
    return settled;
  }

  async #come(everything: boolean): Promise<void> {
    const generation = (await this.#stored()) ?? this.#generation;
    const isNew = generation !== undefined && generation.id !== this.#generation?.id;
    if (!isNew && !everything && !this.#participants.isIncomplete) return;
    const { clock, events } = this.#options;
    const startedMs = clock.monotonicMs();
    const scope = isNew && !everything ? this.#scopeOf(generation) : 'all';
    // numbers come back where a store is restored; its own cut was made nowhere yet
    const cuts = isNew ? cutsSince(Math.min(this.#tried?.number ?? 0, generation.number - 1), generation) : [];
    if (isNew) {
      this.#generation = generation;
      const { number, by, reason } = generation;
      events('rotation.noticed', { generation: number, by, reason });
    }
    const changed = await this.#participants.apply({ scope, cuts });
    // this instance may have written it itself, and be done with it
    if (isNew && this.#tried?.id !== generation.id) this.#conclude(generation, clock.monotonicMs() - startedMs);
    else if (changed && !isNew) await this.#tellOthers();
  }

  /** Nothing else changed when no generation was missed, and the one before came into force. */
  #scopeOf(generation: Generation): RotationScope {
    return this.#isNext(generation) && this.#inForce.generation?.id === this.#tried?.id ? generation.scope : 'all';
  }

  /** Whether nothing was written between what was tried and this one. */
  #isNext({ after }: Generation): boolean {
    return after === (this.#tried?.id ?? null);
  }

  /** What came into force without a generation was in files, which others may share. */
  async #tellOthers(): Promise<void> {
    const note = { by: 'postern:files', reason: 'file', scope: 'all' } as const;
    const { store, generations } = this.#options;
    const after = this.#generation?.id ?? null;
    const generation = await store.attempt(() => generations.write([], note, after));
    // another one has said so already
    if (generation === undefined) return store.lostAtMs === undefined ? void this.come() : undefined;
    this.#tellWritten(generation);
    if (this.#isNext(generation)) this.#conclude(generation);
    else void this.come();
  }

  #tellWritten({ number, by, reason }: Generation): void {
    this.#options.events('rotation.written', { generation: number, by, reason });
  }

  #conclude(generation: Generation, durationMs = 0): void {
    this.#generation = generation;
    this.#tried = generation;
    this.#report(generation, durationMs);
    for (const listener of this.#listeners) listener();
  }

  /** Says once what became of a generation, as soon as that is known. */
  #report(generation: Generation, durationMs: number): void {
    const { number, reason, at } = generation;
    const { clock, events } = this.#options;
    const { failing } = this.status;
    if (failing.length === 0) {
      this.#inForce = { generation, atMs: clock.nowMs() };
      const lagMs = Math.max(0, clock.nowMs() - Date.parse(at));
      return events('rotation.applied', { generation: number, reason, durationMs, lagMs });
    }
    const problem = failing.find(({ pending = false }) => !pending);
    if (problem === undefined || this.#failed?.id === generation.id) return;
    this.#failed = generation;
    const { name, code, message } = problem;
    const serving = this.#inForce.generation?.number ?? 0;
    events('rotation.failed', { generation: number, reason, serving, name, code, message });
  }

  #concerns(subject: string | undefined): boolean {
    return subject === undefined || isInScope(subject, this.#generation?.scope ?? 'all');
  }

  #stored(): Promise<Generation | undefined> {
    const { store, generations } = this.#options;
    return store.attempt(() => generations.read());
  }
}
