import type { WaitingLine } from './waiting-lines.ts';

/** Writes what of a line is known before its place is. What many lines have in common is written once. */
export class LineBodies {
  /** By caller; the same object comes with each of its calls. */
  readonly #callers = new WeakMap<object, string>();
  #atMs = Number.NaN;
  #at = '';

  of({ event, fields, atMs }: WaitingLine): string {
    const { caller, ...rest } = fields as { readonly caller?: object };
    const who = caller === undefined ? '' : `"caller":${this.#callerText(caller)},`;
    const what = JSON.stringify(rest);
    return `"at":"${this.#time(atMs)}","event":"${event}",${who}${what.slice(1, -1)}`;
  }

  #callerText(caller: object): string {
    const known = this.#callers.get(caller);
    if (known !== undefined) return known;
    const text = JSON.stringify(caller);
    this.#callers.set(caller, text);
    return text;
  }

  #time(atMs: number): string {
    if (atMs !== this.#atMs) [this.#atMs, this.#at] = [atMs, new Date(atMs).toISOString()];
    return this.#at;
  }
}
