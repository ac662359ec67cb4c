/** A notification as an event stream carries it. */
interface Notification {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** The notifications of an event stream. */
export class EventLines {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = '';

  constructor({ body }: Response) {
    if (body === null) throw new Error('no stream');
    this.#reader = body.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The params of the next notification of this kind; those before it are passed over. */
  async next(kind: string): Promise<Notification['params']> {
    for (;;) {
      const { method, params } = await this.any();
      if (method === `notifications/${kind}`) return params;
    }
  }

  /** The next notification. */
  async any(): Promise<Notification> {
    for (;;) {
      const line = /^data: (\{.*)\n/m.exec(this.#text);
      if (line?.[1] !== undefined) {
        this.#text = this.#text.slice(line.index + line[0].length);
        const { method, params = {} } = JSON.parse(line[1]) as Partial<Notification>;
        if (method !== undefined) return { method, params };
        continue;
      }
      const { done, value } = await this.#reader.read();
      if (done) throw new Error('the stream ended');
      this.#text += value;
    }
  }
}
