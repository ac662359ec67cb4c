import { GatewayError } from '../base/errors.ts';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** The names this gateway answers to; everything else is DNS rebinding or a foreign page. */
export class Origins {
  readonly #names = new Set(LOOPBACK_NAMES);

  /** @param names host names beside the loopback ones, without ports; brackets around IPv6 addresses */
  constructor(names: readonly string[]) {
    this.allow(names);
  }

  /** Answers to these names as well from now on. */
  allow(names: readonly string[]): void {
    for (const name of names) this.#names.add(name.toLowerCase());
  }

  /**
   * Refuses a request for another host, or from a page of another origin.
   *
   * @throws GatewayError host_not_allowed
   * @see MCP 2025-11-25, transports, Security Warning
   */
  check(request: Request): void {
    const host = request.headers.get('host') ?? new URL(request.url).host;
    if (!this.#names.has(nameOf(host))) throw refused('Host', host);
    const origin = request.headers.get('origin');
    if (origin !== null && !this.#isOwn(origin)) throw refused('Origin', origin);
  }

  #isOwn(origin: string): boolean {
    const host = /^https?:\/\/([^/]+)$/.exec(origin)?.[1];
    return host !== undefined && this.#names.has(nameOf(host));
  }
}

const nameOf = (host: string): string => host.replace(/:\d*$/, '').toLowerCase();

function refused(header: string, value: string): GatewayError {
  return new GatewayError('host_not_allowed', `the ${header} ${value.slice(0, 80)} is not a name of this gateway`, {
    hint: 'add the host name to POSTERN_ALLOWED_HOSTS',
  });
}
