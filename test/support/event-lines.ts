/** The notifications of an event stream. */
export class EventLines {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = '';

  constructor({ body }: Response) {
    if (body === null) throw new Error('no stream');
    this.#reader = body.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The params of the next notification of this kind. */
  async next(kind: string): Promise<Record<string, unknown>> {
    for (;;) {
      const line = /^data: (\{.*)\n/m.exec(this.#text);
      if (line?.[1] !== undefined) {
        this.#text = this.#text.slice(line.index + line[0].length);
        const { method, params } = JSON.parse(line[1]) as { method?: string; params?: Record<string, unknown> };
        if (method === `notifications/${kind}`) return params ?? {};
        continue;
      }
      const { done, value } = await this.#reader.read();
      if (done) throw new Error(`the stream ended without ${kind}`);
      this.#text += value;
    }
  }
}
