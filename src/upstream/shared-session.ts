import type { OpenedSession } from './probe-eras.ts';

/** The gateway's own legacy session with an upstream, for callers that have none. */
export interface SharedSession {
  /** What every request in it carries. */
  readonly headers: Readonly<Record<string, string>>;
  /** A request id no other request in this session has. */
  nextId(): number;
  /** The session that takes this one's place after the upstream lost it; opened once, however many ask. */
  renew(): Promise<SharedSession>;
}

/** Opens the shared session once, and again whenever the upstream lost it. */
export class SharedSessionKeeper {
  readonly #open: () => Promise<OpenedSession>;
  readonly #onRenewed: () => void;
  readonly #successor: () => Promise<SharedSession> | undefined;
  #current: SharedSession | undefined;
  #opening: Promise<SharedSession> | undefined;
  #lastId = 0;

  /** @param successor the session of another upstream that took the place of this one */
  constructor(
    open: () => Promise<OpenedSession>,
    onRenewed: () => void,
    successor: () => Promise<SharedSession> | undefined,
  ) {
    this.#open = open;
    this.#onRenewed = onRenewed;
    this.#successor = successor;
  }

  /** The session that is open now, if any. */
  get current(): SharedSession | undefined {
    return this.#current;
  }

  /** The session; opened on first use. */
  async get(): Promise<SharedSession> {
    return this.#current ?? this.#reopen();
  }

  /** Takes over a session that was opened while probing. */
  adopt(opened: OpenedSession): void {
    this.#current = this.#wrap(opened);
  }

  /** Lets the session go: it belongs to a transport that is no longer spoken. */
  forget(): void {
    this.#current = undefined;
  }

  #reopen(): Promise<SharedSession> {
    this.#opening ??= this.#open()
      .then((opened) => (this.#current = this.#wrap(opened)))
      .finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  #wrap({ headers }: OpenedSession): SharedSession {
    const session: SharedSession = {
      headers,
      nextId: () => ++this.#lastId,
      renew: async () => {
        const successor = this.#successor();
        if (successor) return successor;
        if (this.#current !== session && this.#current !== undefined) return this.#current;
        if (this.#current === session) {
          this.#current = undefined;
          this.#onRenewed();
        }
        return this.#reopen();
      },
    };
    return session;
  }
}
