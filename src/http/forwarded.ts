/**
 * Headers in which a proxy speaks for others: who they are and where they come from. In any spelling a program further
 * on might take for one of them: some read an underscore as a dash.
 */
const SPEAKS_FOR_OTHERS =
  /^(?:x[-_](?:forwarded(?:[-_].*)?|real[-_]ip|ssl[-_]client(?:[-_].*)?|client[-_]cert(?:[-_].*)?|authenticated[-_]user|auth[-_]request[-_].*|remote[-_]user|user[-_]organization)|forwarded|client[-_]cert(?:[-_]chain)?|ssl[-_]client(?:[-_].*)?|remote[-_]user)$/i;

const spelled = (name: string): string => name.toLowerCase().replaceAll('_', '-');

/** Finds and removes them. */
export class ForwardedHeaders {
  readonly #userHeader: string;

  /** @param userHeader one more of them, whatever its name */
  constructor(userHeader: string) {
    this.#userHeader = spelled(userHeader);
  }

  /** @param rawHeaders names and values of the request in turn, where they are at hand */
  areIn(request: Request, rawHeaders?: readonly string[]): boolean {
    if (rawHeaders === undefined) return [...request.headers.keys()].some((name) => this.#isOne(name));
    for (let index = 0; index < rawHeaders.length; index += 2) if (this.#isOne(rawHeaders[index] ?? '')) return true;
    return false;
  }

  /** The request without them; the same one where its headers can be changed. */
  stripped(request: Request): Request {
    const names = [...request.headers.keys()].filter((name) => this.#isOne(name));
    try {
      for (const name of names) request.headers.delete(name);
      return request;
    } catch {
      // some listeners make them immutable; to copy the request as well costs many times as much
      const headers = new Headers(request.headers);
      for (const name of names) headers.delete(name);
      return new Request(request, { headers });
    }
  }

  #isOne(name: string): boolean {
    if (SPEAKS_FOR_OTHERS.test(name)) return true;
    // each header of each request comes by here
    return name.length === this.#userHeader.length && spelled(name) === this.#userHeader;
  }
}
